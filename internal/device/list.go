package device

import (
	"context"
	"errors"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// Get answers a device as it stands. NotFound.
func (d *Devices) Get(ctx context.Context, id string) (Device, error) {
	doc, _, err := d.devices.Get(ctx, id)
	if err != nil {
		return Device{}, typed("read device", err)
	}
	devices := []Device{doc.device()}
	err = d.complete(ctx, devices)
	return devices[0], err
}

// Known answers a device without what changes at every call: when it was heard of, what it told and what arrived. NotFound.
func (d *Devices) Known(ctx context.Context, id string) (Device, error) {
	doc, _, err := d.devices.Get(ctx, id)
	return doc.device(), typed("read device", err)
}

// Filter says which devices to list; nil fields show all.
type Filter struct {
	Mine func(Device) bool // by what stands in Known, asked first
	Show func(Device) bool // by everything
}

// completedTogether is how many devices are completed at a time: what is kept apart of them is read in one go.
const completedTogether = 500

// List answers devices in the order they were made, at most size of those that the filter shows (0 = all), and the token of the
// next page, empty at the end. Invalid "device_page_invalid".
func (d *Devices) List(ctx context.Context, size int, page string, filter Filter) ([]Device, string, error) {
	var shown []Device
	var cursors []store.Cursor // of what is shown
	var waiting []Device
	var whose []store.Cursor // of what waits
	complete := func() error {
		err := d.complete(ctx, waiting)
		for i, device := range waiting {
			if filter.Show == nil || filter.Show(device) {
				shown, cursors = append(shown, device), append(cursors, whose[i])
			}
		}
		waiting, whose = nil, nil
		return err
	}
	for doc, err := range d.devices.Find(ctx, store.Query{After: store.Cursor(page)}) {
		if errors.Is(err, store.ErrInvalid) {
			return nil, "", fault.New(fault.Invalid, "device_page_invalid").Because(err)
		}
		if err != nil {
			return nil, "", typed("list devices", err)
		}
		device := doc.Value.device()
		if filter.Mine != nil && !filter.Mine(device) {
			continue
		}
		waiting, whose = append(waiting, device), append(whose, doc.Cursor)
		enough := completedTogether
		if filter.Show == nil && size > 0 {
			enough = min(enough, size+1-len(shown))
		}
		if len(waiting) < enough {
			continue
		}
		if err := complete(); err != nil {
			return nil, "", err
		}
		if size > 0 && len(shown) > size {
			break
		}
	}
	if err := complete(); err != nil {
		return nil, "", err
	}
	if size > 0 && len(shown) > size {
		return shown[:size], string(cursors[size-1]), nil
	}
	return shown, "", nil
}

// complete adds what is kept apart: when devices were heard of, what they told and what arrived. Devices are in the order of their
// ids.
func (d *Devices) complete(ctx context.Context, devices []Device) error {
	if len(devices) == 0 {
		return nil
	}
	health, err := apart(ctx, d.health, devices, func(doc healthDoc) string { return doc.ID })
	if err != nil {
		return typed("read when devices were seen", err)
	}
	progress, err := apart(ctx, d.progress.docs, devices, func(doc progressDoc) string { return doc.ID })
	if err != nil {
		return typed("read progress", err)
	}
	for i := range devices {
		device := &devices[i]
		arrived, heard := progress[device.ID], health[device.ID]
		device.StoredThrough = arrived.through()
		device.Missing, device.WaitingSince = arrived.missing()
		d.lastSeen(device, heard)
		if o := heard.Owed; o != nil && device.Report != nil && !o.paid(device.StoredThrough, *device.Report) &&
			(device.WaitingSince.IsZero() || o.Since.Before(device.WaitingSince)) {
			device.WaitingSince = o.Since
		}
	}
	return nil
}

// readAlone is up to how many devices are read one by one: a few of an office may stand at both ends of a country's list.
const readAlone = 20

// apart reads the documents of devices, by id. Devices are in the order of their ids.
func apart[T any](ctx context.Context, docs store.Docs[T], devices []Device, id func(T) string) (map[string]T, error) {
	found := make(map[string]T, len(devices))
	if len(devices) <= readAlone {
		for _, device := range devices {
			doc, _, err := docs.Get(ctx, device.ID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return nil, err
			}
			found[device.ID] = doc
		}
		return found, nil
	}
	for doc, err := range docs.Find(ctx, store.Query{From: devices[0].ID, To: devices[len(devices)-1].ID + "~"}) {
		if err != nil {
			return nil, err
		}
		found[id(doc.Value)] = doc.Value
	}
	return found, nil
}
