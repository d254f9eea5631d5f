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

// List answers devices in the order they were made, at most size of those that show answers true for (nil = all), and the
// token of the next page, empty at the end. Invalid "device_page_invalid".
func (d *Devices) List(ctx context.Context, size int, page string, show func(Device) bool) ([]Device, string, error) {
	var devices []Device
	var last, next store.Cursor
	for doc, err := range d.devices.Find(ctx, store.Query{After: store.Cursor(page)}) {
		if errors.Is(err, store.ErrInvalid) {
			return nil, "", fault.New(fault.Invalid, "device_page_invalid").Because(err)
		}
		if err != nil {
			return nil, "", typed("list devices", err)
		}
		device := doc.Value.device()
		if show != nil && !show(device) {
			continue
		}
		if len(devices) == size {
			next = last
			break
		}
		devices, last = append(devices, device), doc.Cursor
	}
	return devices, string(next), d.complete(ctx, devices)
}

// complete adds what is kept apart: when devices were heard of and what arrived. Devices are in the order of their ids.
func (d *Devices) complete(ctx context.Context, devices []Device) error {
	if len(devices) == 0 {
		return nil
	}
	query := store.Query{From: devices[0].ID, To: devices[len(devices)-1].ID + "~"}
	health := map[string]healthDoc{}
	for doc, err := range d.health.Find(ctx, query) {
		if err != nil {
			return typed("read when devices were seen", err)
		}
		health[doc.Value.ID] = doc.Value
	}
	through := map[string]uint64{}
	for doc, err := range d.progress.docs.Find(ctx, query) {
		if err != nil {
			return typed("read progress", err)
		}
		through[doc.Value.ID] = doc.Value.through()
	}
	for i := range devices {
		devices[i].StoredThrough = through[devices[i].ID]
		d.lastSeen(&devices[i], health[devices[i].ID])
	}
	return nil
}
