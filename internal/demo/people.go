package demo

import (
	"fmt"
	"math/rand/v2"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// contact is how a person who does not exist could be reached. Numbers that begin with 0000 are given to nobody.
func contact(rng *rand.Rand) *pb.Contact {
	names := []string{"Anh Mẫu", "Chị Ví Dụ", "Bác Minh Hoạ", "Cô Thí Dụ", "Ông Giả Định", "Bà Dữ Liệu"}
	c := &pb.Contact{Name: names[rng.IntN(len(names))], CallBack: rng.IntN(3) > 0}
	if rng.IntN(5) == 0 {
		c.Email = fmt.Sprintf("nguoidan%03d@example.org", rng.IntN(1000))
	} else {
		c.Phone = fmt.Sprintf("0000 %03d %03d", rng.IntN(1000), rng.IntN(1000))
	}
	return c
}
