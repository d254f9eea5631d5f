package journal

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Configuration answers the configuration that was kept last; nil before the first.
func (j *Journal) Configuration(ctx context.Context) (*pb.Configuration, error) {
	value, err := j.fact(ctx, factConfiguration)
	if err != nil || value == nil {
		return nil, err
	}
	c := &pb.Configuration{}
	if err := proto.Unmarshal(value, c); err != nil {
		return nil, fmt.Errorf("read configuration: %w", errDamaged)
	}
	return c, nil
}

// KeepConfiguration keeps what the device works by from now on. Nil forgets it.
func (j *Journal) KeepConfiguration(ctx context.Context, c *pb.Configuration) error {
	if c == nil {
		return j.keep(ctx, factConfiguration, nil)
	}
	value, err := proto.Marshal(c)
	if err != nil {
		return fmt.Errorf("keep configuration: %w", err)
	}
	return j.keep(ctx, factConfiguration, value)
}

// Setting answers a small value that the program keeps for itself; nil where there is none.
func (j *Journal) Setting(ctx context.Context, name string) ([]byte, error) {
	return j.fact(ctx, factSetting+name)
}

// KeepSetting keeps a small value under a name. Nil deletes it.
func (j *Journal) KeepSetting(ctx context.Context, name string, value []byte) error {
	return j.keep(ctx, factSetting+name, value)
}

func (j *Journal) fact(ctx context.Context, name string) (value []byte, err error) {
	err = j.view(ctx, func(ctx context.Context, c *conn) (err error) {
		value, err = readFact(ctx, c, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return value, nil
}

func (j *Journal) keep(ctx context.Context, name string, value []byte) error {
	j.turn.Lock()
	defer j.turn.Unlock()
	return j.wrap("keep "+name, j.update(ctx, func(ctx context.Context, c *conn, _ *state) error {
		if value == nil {
			_, err := c.exec(ctx, "DELETE FROM facts WHERE name = ?", name)
			return err
		}
		return keepFact(ctx, c, name, value)
	}))
}
