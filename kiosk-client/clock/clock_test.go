package clock

import (
	"testing"
	"time"
)

func TestTheClockOfTheMachine(t *testing.T) {
	c, other := System(), System()
	if boot := c.BootID(); boot == other.BootID() || boot != c.BootID() || len(boot) != 36 {
		t.Errorf("starts are called %s and %s", c.BootID(), other.BootID())
	}
	before := c.SinceStart()
	if before < 0 || before > time.Minute {
		t.Errorf("%v since the start", before)
	}
	for last := before; last-before < time.Millisecond; {
		now := c.SinceStart()
		if now < last {
			t.Fatalf("%v after %v", now, last)
		}
		last = now
	}
	if off := time.Since(c.Now()).Abs(); off > time.Minute {
		t.Errorf("%v off", off)
	}
}

func TestAManualClockIsSetAndPassesApart(t *testing.T) {
	start := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	c := NewManual(start)
	boot := c.BootID()
	c.Pass(time.Hour)
	c.Set(start.Add(-time.Hour))
	if c.SinceStart() != time.Hour || !c.Now().Equal(start.Add(-time.Hour)) {
		t.Errorf("%v, %v", c.SinceStart(), c.Now())
	}
	c.Restart()
	if c.BootID() == boot || c.SinceStart() != 0 {
		t.Errorf("the same start: %v", c.SinceStart())
	}
}
