package booking

import "slices"

// PropertySet is a set of properties. The zero value is empty.
type PropertySet uint32

// Has reports whether p is in the set.
func (s PropertySet) Has(p Property) bool {
	i := slices.Index(properties, p)
	return i >= 0 && s&(1<<i) != 0
}

// add puts p into the set. What is no property stays out.
func (s *PropertySet) add(p Property) {
	if i := slices.Index(properties, p); i >= 0 {
		*s |= 1 << i
	}
}
