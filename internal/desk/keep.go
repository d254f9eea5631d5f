package desk

import (
	"bytes"
	"context"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// kept is what was given beside the slip that stands, for a correction that leaves it out: whoever corrects a score need not type
// the words again, and may not even be allowed to read them. nil where nothing was given, or it was erased since.
//
// A crash may have kept the words of the standing correction from being stored; then they are those of the slip it took the place
// of, if they are the ones it committed itself to. Words that were erased are not looked for in older copies.
func (d *Desk) kept(ctx context.Context, standing *pb.Rating) (*pb.Private, error) {
	if len(standing.GetPrivateCommitment()) == 0 {
		return nil, nil //nolint:nilnil // nothing was given
	}
	for _, id := range []string{standing.GetId(), standing.GetRevises()} {
		if id == "" {
			break
		}
		given, there, err := d.options.Intake.Given(ctx, standing.GetUnitId(), id)
		if err != nil {
			return nil, err
		}
		if !there {
			continue
		}
		commitment, err := d.commitment(standing, given)
		if err != nil || !bytes.Equal(commitment, standing.GetPrivateCommitment()) {
			return nil, err
		}
		return given, nil
	}
	return nil, nil //nolint:nilnil // nothing is left
}
