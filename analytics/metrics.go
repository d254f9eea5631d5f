package analytics

import "time"

func (m Metrics) folded(cells, records int, took time.Duration) {
	if m.Folded != nil {
		m.Folded(cells, records, took)
	}
}

func (m Metrics) failed() {
	if m.Failed != nil {
		m.Failed()
	}
}

func (m Metrics) faceted(records int, took time.Duration) {
	if m.Faceted != nil {
		m.Faceted(records, took)
	}
}

func (m Metrics) swept(all bool, cells, due int, took time.Duration) {
	if m.Swept != nil {
		m.Swept(all, cells, due, took)
	}
}

func (m Metrics) freshThrough(through time.Time) {
	if m.Fresh != nil {
		m.Fresh(through)
	}
}

func (m Metrics) restored(cell string) {
	if m.Restored != nil {
		m.Restored(cell)
	}
}

func (m Metrics) dropped(cells int) {
	if m.Dropped != nil {
		m.Dropped(cells)
	}
}

func (m Metrics) waiting(cells, facets, failing int) {
	if m.Waiting != nil {
		m.Waiting(cells, facets, failing)
	}
}
