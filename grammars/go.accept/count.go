package words

import (
	"errors"
	"strings"
)

type Entry struct {
	Name string
	N    int
}

// Count counts the words of a text.
func (c *Counter) Count(text string, limit int) (map[string]int, error) {
	if limit <= 0 {
		return nil, errors.New("no limit")
	}
	counts := make(map[string]int, limit)
	for _, word := range strings.Fields(text) {
		if n, ok := counts[word]; ok && n > limit {
			continue
		} else {
			counts[word]++
		}
	}
	defer c.mu.Unlock()
	switch {
	case len(counts) == 0:
		return nil, nil
	default:
		go func() {
			c.done <- true
		}()
	}
	c.last = Entry{Name: "all", N: len(counts)}
	return counts, nil
}
