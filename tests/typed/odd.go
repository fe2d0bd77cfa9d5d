// Types in each other, as a context for grammars.
package odd

import "strings"

type Node struct {
	Value    int8
	Next     *Node
	Children []*Node
	Visit    func(x int64) bool
	strings.Builder
	_     int
	Len   int
	Index map[string]map[int]*bool
}

type (
	Alias = Node
)

type Point struct{ X, Y float32 }

func (p Point) Length() float32 { return p.X + p.Y }
func (*Point) Name() string     { return "point" }
func (p *Point) Move(by float32) *Point {
	p.X += by
	return p
}

type Stack[T any] struct {
	items []T
}

func (s *Stack[T]) Pop() T { return s.items[0] }

var grid [][]float64
var flags map[bool]string
var pointer *int
var pick func(func(int64) bool, int64) bool

func isEven(x int64) bool { return x%2 == 0 }

func apply(f func(int64) bool, x int64) bool { return f(x) }

func move(p *Point, by float32) *Point { return p.Move(by) }

func origin() Point { return Point{} }

func sum(numbers []uint16, rest ...int) uint32 { return 0 }

func hash(text string, seed uint32, r rune, b byte) uint64 { return 0 }

func complete(node *Node, point Point, numbers []uint16, name string, flag bool, deep map[string][]Point) int64 {
	return 0
}
