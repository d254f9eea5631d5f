package device

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/seal"
	"github.com/hailong-vn/hailong/internal/store"
)

// progressDoc is what arrived of a device, as it is kept.
type progressDoc struct {
	ID       string    `bson:"_id"` // the device's id
	Highest  int64     `bson:"highest"`
	Gaps     []gapDoc  `bson:"gaps,omitempty"`
	GapCount int32     `bson:"gap_count"`
	Head     *headDoc  `bson:"head,omitempty"`
	At       time.Time `bson:"at"` // of the last write

	// Of the chain, under one enrolment.
	Generation int64     `bson:"generation,omitempty"`
	Places     []byte    `bson:"places,omitempty"`    // where it was seen to pass
	PartedAt   time.Time `bson:"parted_at,omitempty"` // two batches disagreed last
	ForkedAt   time.Time `bson:"forked_at,omitempty"` // they go on disagreeing, since then
}

type gapDoc struct {
	From   int64     `bson:"from"`
	To     int64     `bson:"to"`
	SeenAt time.Time `bson:"seen_at"`
}

type headDoc struct {
	Sequence int64  `bson:"sequence"`
	Link     []byte `bson:"link"`
}

var progressType = store.Define[progressDoc]("device_progress", store.Index{Name: "gaps", Fields: []string{"gap_count"}})

// Head is the link of a device's chain after its highest rating that came in a verified batch.
type Head struct {
	Sequence uint64
	Link     seal.Head
}

// received is what one call tells.
type received struct {
	spans      []span
	head       *Head
	ends       []place // of the batch they came in
	generation int64   // of the enrolment it was sealed under
}

func (p *progressDoc) arrivals() arrivals {
	a := arrivals{highest: uint64(p.Highest)}
	for _, g := range p.Gaps {
		a.missing = append(a.missing, gap{span{uint64(g.From), uint64(g.To)}, g.SeenAt})
	}
	return a
}

// take applies what several calls told; it says whether that was news.
func (p *progressDoc) take(all []received, now time.Time) (news bool) {
	a := p.arrivals()
	for _, r := range all {
		for _, s := range r.spans {
			news = a.add(s, now) || news
		}
		if r.head != nil && r.head.Sequence <= MaxSequence && (p.Head == nil || int64(r.head.Sequence) > p.Head.Sequence) {
			p.Head = &headDoc{int64(r.head.Sequence), r.head.Link[:]}
			news = true
		}
		news = p.chained(r, now) || news
	}
	if !news {
		return false
	}
	a.narrow(maxGaps)
	p.Highest, p.Gaps, p.GapCount, p.At = int64(a.highest), nil, int32(len(a.missing)), now
	for _, g := range a.missing {
		p.Gaps = append(p.Gaps, gapDoc{int64(g.from), int64(g.to), g.seenAt})
	}
	return true
}

// recorder writes what arrived. Calls for one device that come together share one write.
type recorder struct {
	docs    store.Docs[progressDoc]
	now     func() time.Time
	running sync.WaitGroup

	mu      sync.Mutex
	waiting map[string][]waiter               // a key stands while a writer works for the device
	last    map[string]store.Doc[progressDoc] // what this process wrote last: mostly what stands
}

// waiter is one call.
type waiter struct {
	received
	done chan recorded // one answer, buffered
}

// recorded is what stands afterwards.
type recorded struct {
	doc progressDoc
	err error
}

const (
	maxLast   = 10_000
	writeTime = 30 * time.Second
)

func newRecorder(docs store.Docs[progressDoc], now func() time.Time) *recorder {
	return &recorder{docs: docs, now: now, waiting: map[string][]waiter{}, last: map[string]store.Doc[progressDoc]{}}
}

// record keeps what arrived, durably before it answers what stands then. A caller that leaves does not take it back.
func (r *recorder) record(ctx context.Context, device string, what received) (progressDoc, error) {
	w := waiter{what, make(chan recorded, 1)}
	r.mu.Lock()
	queue, working := r.waiting[device]
	r.waiting[device] = append(queue, w)
	if !working {
		r.running.Add(1)
		go r.work(context.WithoutCancel(ctx), device)
	}
	r.mu.Unlock()
	select {
	case is := <-w.done:
		return is.doc, is.err
	case <-ctx.Done():
		return progressDoc{}, ctx.Err()
	}
}

// remembered is what this process wrote last of a device; the zero document where it did not.
func (r *recorder) remembered(device string) progressDoc {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last[device].Value
}

// work writes for a device until nobody waits.
func (r *recorder) work(ctx context.Context, device string) {
	defer r.running.Done()
	for {
		r.mu.Lock()
		batch := r.waiting[device]
		if len(batch) == 0 {
			delete(r.waiting, device)
			r.mu.Unlock()
			return
		}
		r.waiting[device] = nil
		last, known := r.last[device]
		r.mu.Unlock()

		all := make([]received, len(batch))
		for i, w := range batch {
			all[i] = w.received
		}
		writing, cancel := context.WithTimeout(ctx, writeTime)
		doc, err := r.write(writing, device, last, known, all)
		cancel()

		r.mu.Lock()
		if err != nil {
			delete(r.last, device)
		} else {
			if _, ok := r.last[device]; !ok && len(r.last) >= maxLast {
				for other := range r.last { // any one
					delete(r.last, other)
					break
				}
			}
			r.last[device] = doc
		}
		r.mu.Unlock()
		for _, w := range batch {
			w.done <- recorded{doc.Value, err}
		}
	}
}

// write brings what arrived into the document by compare-and-swap, beginning with what this process knows of it.
func (r *recorder) write(ctx context.Context, device string, doc store.Doc[progressDoc], known bool, all []received) (store.Doc[progressDoc], error) {
	now := store.Milliseconds(r.now())
	if known {
		// take leaves the slices of the old document alone; the old value is only kept where nothing was news.
		// Where nothing is news to what is known, what stands is asked all the same: others may have joined gaps.
		if fresh := doc.Value; fresh.take(all, now) {
			version, err := r.docs.Replace(ctx, device, fresh, doc.Version)
			if err == nil {
				return store.Doc[progressDoc]{Value: fresh, Version: version}, nil
			}
			if !errors.Is(err, store.ErrStale) && !errors.Is(err, store.ErrNotFound) {
				return doc, err
			}
		}
	}
	for {
		value, version, err := r.docs.Get(ctx, device)
		if errors.Is(err, store.ErrNotFound) {
			value = progressDoc{ID: device}
			value.take(all, now)
			if err = r.docs.Insert(ctx, value); err == nil {
				value, version, err = r.docs.Get(ctx, device)
				return store.Doc[progressDoc]{Value: value, Version: version}, err
			}
			if errors.Is(err, store.ErrExists) {
				continue
			}
		}
		if err != nil {
			return doc, err
		}
		if !value.take(all, now) {
			return store.Doc[progressDoc]{Value: value, Version: version}, nil
		}
		version, err = r.docs.Replace(ctx, device, value, version)
		if err == nil {
			return store.Doc[progressDoc]{Value: value, Version: version}, nil
		}
		if !errors.Is(err, store.ErrStale) && !errors.Is(err, store.ErrNotFound) {
			return doc, err
		}
	}
}

// through is the document's highest gap-free sequence.
func (p *progressDoc) through() uint64 {
	a := p.arrivals()
	return a.through()
}

// missing counts the sequences that did not arrive below others that did, and tells since when the oldest is missing.
func (p *progressDoc) missing() (count uint64, since time.Time) {
	for _, g := range p.Gaps {
		count += uint64(g.To - g.From + 1)
		if since.IsZero() || g.SeenAt.Before(since) {
			since = g.SeenAt
		}
	}
	return count, since
}

// Gap is a run of sequences a device has given that never arrived.
type Gap struct {
	DeviceID    string
	First, Last uint64
	SeenAt      time.Time // when it was first seen
}

func (p *progressDoc) gaps() []Gap {
	gaps := make([]Gap, len(p.Gaps))
	for i, g := range p.Gaps {
		gaps[i] = Gap{p.ID, uint64(g.From), uint64(g.To), g.SeenAt}
	}
	return gaps
}

// maxListedGaps bounds what Gaps answers of all devices.
const maxListedGaps = 10_000

// Gaps lists the gaps of a device, or of all devices (deviceID ""), by device and sequence; 10,000 at most. Where a
// device has more than 500, neighbouring ones are joined, and what arrived between them is listed as missing.
func (d *Devices) Gaps(ctx context.Context, deviceID string) ([]Gap, error) {
	if deviceID != "" {
		doc, _, err := d.progress.docs.Get(ctx, deviceID)
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		return doc.gaps(), typed("read progress", err)
	}
	var all []Gap
	for doc, err := range d.progress.docs.Find(ctx, store.Query{Index: "gaps", From: int32(1)}) {
		if err != nil {
			return nil, typed("read progress", err)
		}
		if all = append(all, doc.Value.gaps()...); len(all) >= maxListedGaps {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b Gap) int {
		switch {
		case a.DeviceID < b.DeviceID:
			return -1
		case a.DeviceID > b.DeviceID:
			return 1
		}
		return 0
	})
	return all[:min(len(all), maxListedGaps)], nil
}

// StoredThrough answers the highest sequence up to which everything of the device arrived; 0 where nothing did.
func (d *Devices) StoredThrough(ctx context.Context, deviceID string) (uint64, error) {
	doc, _, err := d.progress.docs.Get(ctx, deviceID)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return doc.through(), typed("read progress", err)
}

// Head answers the link after the highest rating that came in a verified batch; false where there is none.
func (d *Devices) Head(ctx context.Context, deviceID string) (Head, bool, error) {
	doc, _, err := d.progress.docs.Get(ctx, deviceID)
	if errors.Is(err, store.ErrNotFound) || err == nil && (doc.Head == nil || len(doc.Head.Link) != len(seal.Head{})) {
		return Head{}, false, nil
	}
	if err != nil {
		return Head{}, false, typed("read progress", err)
	}
	return Head{uint64(doc.Head.Sequence), seal.Head(doc.Head.Link)}, true, nil
}
