// A shop, as a context for grammars.
package shop

type Kind int

type Item struct {
	Name  string
	Price float64
	Tags  []string `json:"tags"`
	Next  *Item
	size, weight int
	seen  chan bool
}

type Cart struct {
	Owner string
	Items []Item
	Stock map[string]int
	best  *Item
}

const Limit = 100

var Tax float64 = 0.19
var names []string
var (
	small  uint8
	origin Item
	later  = 3
)

func (i Item) Total(count int, reduced bool) float64 {
	return i.Price * float64(count)
}

func (i *Item) Label(before string) string {
	return before + i.Name
}

func (c *Cart) Find(name string) *Item {
	return c.best
}

func (c *Cart) Add(item Item) {
	c.Items = append(c.Items, item)
}

func half(price float64, count int) float64 {
	return price / 2
}

func repeat(text string, times int) string {
	return text
}

func cheapest(items []Item) Item {
	return items[0]
}

func scaled(by func(float64, int) float64, price float64) float64 {
	return by(price, 1)
}

func first[T any](items []T) T {
	return items[0]
}

func both(a, b int) (int, error) {
	return a, nil
}

func priceOf(cart Cart, name string, count int, sale bool) float64 {
	return 0
}
