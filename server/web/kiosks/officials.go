package kiosks

import (
	"io"
	"net/http"
	"net/url"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

type officialsPage struct {
	Tabs []tab
	unitChoice
	Places    places
	Officials []*pb.Official
	MayChange bool
}

// officials lists who serves at a unit, with photos.
func (p pages) officials(v *web.Visit) error {
	choice, err := chooseUnit(v)
	if err != nil {
		return err
	}
	page := officialsPage{Tabs: tabs(v, "officials"), unitChoice: choice, MayChange: v.May("change_directory")}
	if choice.Unit == nil {
		if page.Places, err = placesOf(v, ""); err != nil {
			return err
		}
		if len(page.Places.Units) == 1 && page.Query == "" {
			return v.Redirect(at("/kiosks/officials", page.Places.Units[0].GetId()))
		}
		return v.Render(p.Pages, "officials", page)
	}
	if page.Officials, err = officialsOf(v, choice.ID()); err != nil {
		return err
	}
	if len(page.Officials) == 0 {
		if page.Places, err = placesOf(v, choice.ID()); err != nil {
			return err
		}
	}
	return v.Render(p.Pages, "officials", page)
}

// OfficialLink is the page of an official of the chosen unit.
func (page officialsPage) OfficialLink(o *pb.Official) string { return officialLink(o) }

func officialLink(o *pb.Official) string {
	return at("/kiosks/officials/"+url.PathEscape(o.GetId()), o.GetUnitId())
}

// photoLink is the address of an official's photo; it changes with the photo, so that a browser may keep it.
func photoLink(o *pb.Official) string {
	return "/kiosks/officials/" + url.PathEscape(o.GetId()) + "/photo?version=" + url.QueryEscape(o.GetPhotoVersion())
}

// PhotoLink is the address of an official's photo.
func (page officialsPage) PhotoLink(o *pb.Official) string { return photoLink(o) }

type officialPage struct {
	Tabs []tab
	form
	*pb.Official
	Unit  string // its name
	Link  string
	Photo string
	Back  string
}

// officialOf finds an official, quickly where the address names the unit too.
func officialOf(v *web.Visit) (*pb.Official, error) {
	list, err := v.OfficialsOf(v.R.URL.Query().Get("unit"), v.R.URL.Query().Has("unit"))
	if err != nil {
		return nil, err
	}
	for _, o := range list {
		if o.GetId() == v.R.PathValue("official") {
			return o, nil
		}
	}
	return nil, web.ErrNotFound
}

func showOfficial(v *web.Visit) (officialPage, error) {
	o, err := officialOf(v)
	if err != nil {
		return officialPage{}, err
	}
	return officialPage{
		Tabs: tabs(v, "officials"), Official: o, Unit: v.UnitNames().Of(o.GetUnitId()), Link: "/kiosks/officials/" + url.PathEscape(o.GetId()),
		Photo: photoLink(o), Back: at("/kiosks/officials", o.GetUnitId()),
	}, nil
}

// official shows an official's photo and whether there is a number, with the forms to change them.
func (p pages) official(v *web.Visit) error {
	page, err := showOfficial(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "official", page)
}

// photo answers the photo itself.
func (p pages) photo(v *web.Visit) error {
	photo, err := pb.NewDeviceServiceClient(v.Conn).GetOfficialPhoto(v.Context(), &pb.GetOfficialPhotoRequest{OfficialId: v.R.PathValue("official")})
	if err != nil {
		return err
	}
	v.W.Header().Set("Content-Type", "image/jpeg")
	if v.Value("version") == photo.GetPhotoVersion() {
		v.W.Header().Set("Cache-Control", "private, max-age=86400, immutable")
	}
	_, err = v.W.Write(photo.GetJpeg())
	return err
}

func (p pages) setPhoto(v *web.Visit) error {
	page, err := showOfficial(v)
	if err != nil {
		return err
	}
	request := &pb.SetOfficialPhotoRequest{OfficialId: page.GetId()}
	if v.Value("remove") == "" {
		if request.Image, err = uploaded(v); err != nil {
			return err
		}
		if len(request.Image) == 0 {
			page.wrong(v, "photo", "kioskspage.photo_missing")
		}
	}
	return p.changed(v, &page, func() error {
		_, err := v.Directory.SetOfficialPhoto(v.Context(), request)
		return err
	}, "kioskspage.photo_saved")
}

// uploaded reads the file of the form; none where nothing was chosen.
func uploaded(v *web.Visit) ([]byte, error) {
	file, _, err := v.R.FormFile("photo")
	if err != nil {
		return nil, nil //nolint:nilerr // no file was chosen
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, maxPhoto))
}

// setNumber keeps the number by which the official signs in at a device. The field is called a password, so that neither the browser
// nor a page that comes in between keeps it.
func (p pages) setNumber(v *web.Visit) error {
	page, err := showOfficial(v)
	if err != nil {
		return err
	}
	number := ""
	if v.Value("remove") == "" {
		if number = v.Value("password"); !isNumber(number) {
			page.wrong(v, "password", "kioskspage.number_wrong")
		}
	}
	return p.changed(v, &page, func() error {
		_, err := v.Directory.SetOfficialPin(v.Context(), &pb.SetOfficialPinRequest{OfficialId: page.GetId(), Pin: number})
		return err
	}, "kioskspage.number_saved")
}

func isNumber(text string) bool {
	if len(text) < 4 || len(text) > 8 {
		return false
	}
	for _, r := range text {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// changed makes a change where the form is right, and shows the page again.
func (p pages) changed(v *web.Visit, page *officialPage, change func() error, said string) error {
	if !page.bad() {
		err := change()
		if err == nil {
			v.Notice(v.Text(said, "name", page.GetName()))
			return v.Redirect(officialLink(page.Official))
		}
		if err := page.refused(err); err != nil {
			return err
		}
	}
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "official", page)
}
