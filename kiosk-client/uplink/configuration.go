package uplink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// watchOn takes each new configuration as it comes, as long as the server sends them. A server that cannot is asked by the heartbeats.
func (u *Uplink) watchOn(ctx context.Context, calls *Calls) error {
	delay := backoff{random: u.options.Random}
	for {
		u.fetchPhotos(ctx, calls)
		took, err := u.watch(ctx, calls)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if took {
			delay.reset()
		}
		pause := delay.next()
		if code := status.Code(err); code == codes.Unimplemented {
			pause = time.Hour
		} else if err != nil {
			u.log.InfoContext(ctx, "the configuration is not watched for now", "again", pause, "error", err)
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
	}
}

// watch is one stream of configurations; it answers whether one came.
func (u *Uplink) watch(ctx context.Context, calls *Calls) (took bool, err error) {
	token, err := calls.Token(ctx)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := calls.devices.WatchConfiguration(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token),
		&pb.WatchConfigurationRequest{DeviceId: u.journal.ID(), KnownVersion: u.Configuration().GetVersion()})
	if err != nil {
		return false, err
	}
	for {
		c, err := stream.Recv()
		if err != nil {
			if status.Code(err) == codes.Unauthenticated {
				calls.forget(token)
			}
			return took, err
		}
		took = true
		if err := u.take(ctx, c); err != nil {
			return took, err
		}
		u.fetchPhotos(ctx, calls)
	}
}

// fetchConfiguration asks for the configuration once.
func (u *Uplink) fetchConfiguration(ctx context.Context, calls *Calls) error {
	within, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var c *pb.Configuration
	err := calls.call(within, func(ctx context.Context) (err error) {
		c, err = calls.devices.GetConfiguration(ctx, &pb.GetConfigurationRequest{DeviceId: u.journal.ID()})
		return err
	})
	if err != nil {
		// The device works by the one it has; the next heartbeat asks again.
		u.log.WarnContext(ctx, "the configuration could not be fetched", "error", err)
		return nil
	}
	return u.take(ctx, c)
}

// take keeps a configuration, and then works by it.
func (u *Uplink) take(ctx context.Context, c *pb.Configuration) error {
	if c.GetDeviceId() != u.journal.ID() || c.GetVersion() == "" {
		u.log.WarnContext(ctx, "a configuration of another device, or without a version, is not taken", "device", c.GetDeviceId())
		return nil
	}
	if c.GetVersion() == u.Configuration().GetVersion() {
		return nil
	}
	if err := u.journal.KeepConfiguration(context.WithoutCancel(ctx), c); err != nil {
		return err
	}
	if name := c.GetDeviceName(); name != "" {
		if err := u.journal.Renamed(context.WithoutCancel(ctx), name); err != nil {
			return err
		}
		u.change(func(s *State) { s.DeviceName = name })
	}
	u.mu.Lock()
	u.configuration = c
	u.tell()
	u.mu.Unlock()
	u.log.InfoContext(ctx, "works by a new configuration", "version", c.GetVersion())
	return nil
}

// fetchPhotos fetches what the configuration names and is not there yet, and deletes what it no longer names.
func (u *Uplink) fetchPhotos(ctx context.Context, calls *Calls) {
	officials := u.Configuration().GetOfficials()
	if u.Configuration() != nil {
		u.photos.keepOnly(officials)
	}
	for _, official := range officials {
		id, version := official.GetId(), official.GetPhotoVersion()
		if version == "" || u.photos.has(id, version) || ctx.Err() != nil {
			continue
		}
		within, cancel := context.WithTimeout(ctx, callTime)
		var photo *pb.OfficialPhoto
		err := calls.call(within, func(ctx context.Context) (err error) {
			photo, err = calls.devices.GetOfficialPhoto(ctx, &pb.GetOfficialPhotoRequest{OfficialId: id})
			return err
		})
		cancel()
		if err == nil && photo.GetPhotoVersion() != version {
			continue // it has changed meanwhile, and the next configuration says so
		}
		if err == nil {
			err = u.photos.put(id, version, photo.GetJpeg())
		}
		if err != nil {
			u.log.WarnContext(ctx, "an official's photo could not be had; a new configuration or connection tries again", "official", id, "error", err)
			continue
		}
		u.mu.Lock()
		u.tell()
		u.mu.Unlock()
	}
}

const (
	maxPhotoBytes  = 512 << 10
	maxPhotoPixels = 2000 // wide or high
)

// photos keeps photos as files, or in memory.
type photos struct {
	folder string // "" = in memory
	mu     sync.Mutex
	memory map[string][]byte
}

func openPhotos(state string) (*photos, error) {
	if state == "" {
		return &photos{memory: map[string][]byte{}}, nil
	}
	folder := filepath.Join(state, "photos")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("folder of photos: %w", err)
	}
	return &photos{folder: folder}, nil
}

// photoName is the same for all photos of an official up to the dash; ids and versions come from outside.
func photoName(official, version string) string {
	who, which := sha256.Sum256([]byte(official)), sha256.Sum256([]byte(version))
	return hex.EncodeToString(who[:12]) + "-" + hex.EncodeToString(which[:12]) + ".jpg"
}

func (p *photos) has(official, version string) bool {
	name := photoName(official, version)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.folder == "" {
		return p.memory[name] != nil
	}
	info, err := os.Stat(filepath.Join(p.folder, name))
	return err == nil && info.Size() > 0
}

// get answers a photo, or the one before it while the new one has not come.
func (p *photos) get(official, version string) ([]byte, bool) {
	name := photoName(official, version)
	names := p.names()
	for _, other := range names {
		if other == name {
			return p.read(name)
		}
	}
	for _, other := range names {
		if strings.HasPrefix(other, name[:25]) {
			return p.read(other)
		}
	}
	return nil, false
}

func (p *photos) read(name string) ([]byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.folder == "" {
		data, ok := p.memory[name]
		return data, ok
	}
	data, err := os.ReadFile(filepath.Join(p.folder, name))
	return data, err == nil && len(data) > 0
}

func (p *photos) names() (names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name := range p.memory {
		names = append(names, name)
	}
	if p.folder == "" {
		return names
	}
	entries, err := os.ReadDir(p.folder)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".jpg") {
			names = append(names, e.Name())
		}
	}
	return names
}

var errNoPhoto = errors.New("what came is no photo")

// put keeps a photo in place of those before it. It is looked at first: it will be shown.
func (p *photos) put(official, version string, data []byte) error {
	if len(data) == 0 || len(data) > maxPhotoBytes {
		return fmt.Errorf("%w: %d bytes", errNoPhoto, len(data))
	}
	header, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil || header.Width > maxPhotoPixels || header.Height > maxPhotoPixels {
		return fmt.Errorf("%w: %dx%d, %v", errNoPhoto, header.Width, header.Height, err) //nolint:errorlint // told, not handed on
	}
	name := photoName(official, version)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.folder == "" {
		p.memory[name] = data
		return nil
	}
	// A photo that a power cut spoils is fetched again: it has no bytes, or is no photo and only looks bad until then.
	file, err := os.CreateTemp(p.folder, ".photo-*")
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(p.folder, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// keepOnly deletes what these officials do not name; the photo before a new one stays until that has come.
func (p *photos) keepOnly(officials []*pb.ConfiguredOfficial) {
	named, whole := map[string]bool{}, map[string]bool{}
	for _, o := range officials {
		if o.GetPhotoVersion() == "" {
			continue
		}
		name := photoName(o.GetId(), o.GetPhotoVersion())
		named[name] = true
		if !p.has(o.GetId(), o.GetPhotoVersion()) {
			whole[name[:25]] = true
		}
	}
	for _, name := range p.names() {
		if named[name] || len(name) > 25 && whole[name[:25]] {
			continue
		}
		p.mu.Lock()
		delete(p.memory, name)
		if p.folder != "" {
			_ = os.Remove(filepath.Join(p.folder, name)) // tried again with the next configuration
		}
		p.mu.Unlock()
	}
}
