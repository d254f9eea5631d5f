package ratingimport

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hailong-vn/hailong/internal/fault"
)

// runText imports a text under the mapping simple and answers what stood in the errors file.
func runText(t *testing.T, text string, options Options) (Summary, []string, *shelf, error) {
	t.Helper()
	options.ErrorsPath = filepath.Join(t.TempDir(), "errors.csv")
	store := newShelf()
	got, err := Run(t.Context(), Source{Name: "t.csv", Reader: strings.NewReader(text)}, mapping(t, simple), store, options)
	if err != nil {
		return got, nil, store, err
	}
	return got, errorLines(t, options.ErrorsPath), store, nil
}

const good = "2026-03-02 08:00,A,5,\n"

func TestBadRows(t *testing.T) {
	const head = "t,u,s,c\n"
	long := strings.Repeat("dài ", 5000)
	for name, test := range map[string]struct {
		text   string
		stored int64
		errors []string
	}{
		"nothing bad":                  {head + good, 1, nil},
		"no newline at the end":        {head + strings.TrimSuffix(good, "\n"), 1, nil},
		"byte order mark":              {"\ufeff" + head + good, 1, nil},
		"byte order mark, quoted head": {"\ufeff\"t\",\"u\",\"s\",\"c\"\n" + good, 1, nil},
		"CRLF":                         {strings.ReplaceAll(head+good+good, "\n", "\r\n"), 2, nil},
		"columns in another order":     {"c, S ,U,t,extra\n,5,A,2026-03-02 08:00,x\n", 1, nil},
		"blank lines":                  {"\n\n" + head + "\n" + good + "\n,,,\n\n", 1, nil},
		"header only":                  {head, 0, nil},
		"too few fields":               {head + "2026-03-02 08:00,A\n" + good, 1, []string{"2 row_field_count"}},
		"too many fields":              {head + "2026-03-02 08:00,A,5,a,b\n" + good, 1, []string{"2 row_field_count"}},
		"NUL":                          {head + "2026-03-02 08:00,A,5,x\x00y\n" + good, 1, []string{"2 row_nul"}},
		"not UTF-8":                    {head + "2026-03-02 08:00,A,5,H\xe0i l\xf2ng\n" + good, 1, []string{"2 row_utf8"}},
		"mixed dates":                  {head + "02/03/2026 08:00,A,5,\n" + good + ",A,5,\n2026-02-30 08:00,A,5,\n", 1, []string{"2 time_unreadable", "4 time_missing", "5 time_unreadable"}},
		"absurd year":                  {head + "0202-03-02 08:00,A,5,\n1969-03-02 08:00,A,5,\n" + good, 1, []string{"2 time_range", "3 time_range"}},
		"unknown label":                {head + "2026-03-02 08:00,A,tuyệt vời,\n" + good, 1, []string{"2 label_unknown"}},
		"scores out of range":          {head + "2026-03-02 08:00,A,0,\n2026-03-02 08:00,A,6,\n2026-03-02 08:00,A,4.5,\n2026-03-02 08:00,A,NaN,\n2026-03-02 08:00,A,,\n", 0, []string{"2 score_range", "3 score_range", "4 score_range", "5 label_unknown", "6 score_missing"}},
		"unit missing and malformed":   {head + "2026-03-02 08:00,,5,\n2026-03-02 08:00,a/b@c,5,\n", 0, []string{"2 unit_missing", "3 unit_unknown"}},
		"several faults in a row":      {head + "x,,9,\n" + good, 1, []string{"2 score_range", "2 time_unreadable", "2 unit_missing"}},
		"refused by intake":            {head + "2026-03-02 08:00,REFUSED1,5,\n" + good, 1, []string{"2 unit_closed"}},
		"lines within quotes":          {head + "2026-03-02 08:00,A,5,\"một\nhai\r\n\"\"ba\"\"\n\"\n" + good, 2, nil},
		"bare quotes within a field":   {head + "2026-03-02 08:00,A,5,nói \"được\" rồi\n" + good, 2, nil},
		"text behind a quoted field":   {head + "2026-03-02 08:00,A,5,\"một\" hai\n" + good, 1, []string{"2 row_quote_misplaced"}},
		"quote never closed":           {head + "2026-03-02 08:00,A,5,\"một\n" + good + good, 2, []string{"2 row_quote_open"}},
		"quote closed by another row":  {head + "2026-03-02 08:00,A,5,\"một\n" + good + "2026-03-02 08:00,A,5,\"hai\"\n" + good, 3, []string{"2 row_quote_open"}},
		"two quotes never closed":      {head + "2026-03-02 08:00,A,5,\"một\n" + good + "2026-03-02 08:00,\"A,5,hai\n" + good, 2, []string{"2 row_quote_open", "4 row_quote_open"}},
		"quote open over a bad line":   {head + "2026-03-02 08:00,A,5,\"một\nx\x00\n" + good, 1, []string{"2 row_quote_open", "3 row_nul"}},
		"comment too long for intake":  {head + "2026-03-02 08:00,A,5," + long + "\n" + good, 1, []string{"2 text_too_long"}},
		"a formula as value":           {head + "2026-03-02 08:00,A,=1+1,\n", 0, []string{"2 label_unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, lines, _, err := runText(t, test.text, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got.Stored != test.stored {
				t.Errorf("stored %d, want %d", got.Stored, test.stored)
			}
			if diff := cmp.Diff(test.errors, lines); diff != "" {
				t.Error(diff)
			}
			if got.Rows != got.Ready+got.Skipped+got.Errors || got.Ready != got.Stored+got.Duplicate+got.Conflict+got.Rejected {
				t.Errorf("the summary does not add up: %+v", got)
			}
		})
	}
}

func TestBadFiles(t *testing.T) {
	for name, test := range map[string]struct{ text, reason string }{
		"empty":              {"", "import_ratings_file_empty"},
		"only a mark":        {"\ufeff", "import_ratings_file_empty"},
		"only blank lines":   {"\n\r\n\n", "import_ratings_file_empty"},
		"a column missing":   {"t,unit,s,c\n" + good, "import_ratings_column_missing"},
		"a column twice":     {"t,u,s,c,U\n" + good, "import_ratings_column_twice"},
		"other separator":    {"t;u;s;c\n", "import_ratings_column_missing"},
		"UTF-16 with mark":   {"\xff\xfet\x00,\x00u\x00", "import_ratings_file_utf16"},
		"UTF-16 bare":        {strings.Join(strings.Split("t,u,s,c and some more\n", ""), "\x00") + "\x00", "import_ratings_file_utf16"},
		"NUL in the header":  {"t,u\x00,s,c\n" + good, "import_ratings_header"},
		"header never ends":  {"t,u,s,\"c\n" + good, "import_ratings_header"},
		"header of 2 MB":     {strings.Repeat("x", 2<<20) + "\n" + good, "import_ratings_header"},
		"not a text at all":  {"PK\x03\x04\x00\x00\x00\x00\n", "import_ratings_header"},
		"in another charset": {"t,u,s,\xe0\n" + good, "import_ratings_header"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, store, err := runText(t, test.text, Options{})
			if got := fault.Of(err); err == nil || got.Reason != test.reason || got.Code != fault.Invalid {
				t.Errorf("%v, want %s", err, test.reason)
			}
			if len(store.ratings) > 0 {
				t.Error("something was stored")
			}
		})
	}
	if _, err := Run(t.Context(), Source{Path: filepath.Join(t.TempDir(), "none.csv")}, mapping(t, simple), newShelf(), Options{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such file: %v", err)
	}
}

func TestTextIsKeptAsReceivedAndMatchedInNFC(t *testing.T) {
	m := mapping(t, strings.Replace(simple, "columns: {unit: u}", "columns: {unit: Đơn vị}\nunits: {Phường Ba Đình: BADINH}\nlabels: {Hài lòng: 4}", 1))
	nfd := func(text string) string { return decompose.Replace(text) }
	text := nfd("Đơn vị") + ",t,s,c\n" + nfd("Phường Ba Đình") + ",2026-03-02 08:00," + nfd("HÀI LÒNG") + "," + nfd("Chờ lâu") + "\n"
	store := newShelf()
	got, err := Run(t.Context(), Source{Name: "t.csv", Reader: strings.NewReader(text)}, m, store, Options{})
	if err != nil || got.Stored != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	for id, r := range store.byID {
		if r.GetUnitId() != "BADINH" || r.GetOverallScore() != 4 || store.private[id].GetComment() != nfd("Chờ lâu") {
			t.Errorf("%v %q", r, store.private[id].GetComment())
		}
	}
}

// decompose writes the letters of these tests in NFD.
var decompose = strings.NewReplacer("ơ", "ơ", "ị", "ị", "ư", "ư", "ờ", "ờ", "ì", "ì", "À", "À", "Ò", "Ò", "â", "â")

// endless answers a text, then a filler so many times, then another text.
type endless struct {
	before, filler, after string
	times                 int
}

func (e *endless) Read(p []byte) (int, error) {
	switch {
	case e.before != "":
		n := copy(p, e.before)
		e.before = e.before[n:]
		return n, nil
	case e.times > 0 && len(p) >= len(e.filler):
		n := copy(p, e.filler)
		e.times--
		return n, nil
	case e.after != "":
		n := copy(p, e.after)
		e.after = e.after[n:]
		return n, nil
	}
	return 0, io.EOF
}

func TestLineOf100MB(t *testing.T) {
	for name, filler := range map[string]string{"plain": strings.Repeat("x", 1<<10), "quotes": strings.Repeat("\"x", 1<<9)} {
		t.Run(name, func(t *testing.T) {
			file := &endless{before: "t,u,s,c\n" + good, filler: filler, times: 100 << 10, after: "\n" + good}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			store, errors := newShelf(), filepath.Join(t.TempDir(), "errors.csv")
			got, err := Run(t.Context(), Source{Name: "t.csv", Reader: file}, mapping(t, simple), store, Options{ErrorsPath: errors})
			runtime.ReadMemStats(&after)
			if err != nil || got.Stored != 2 || got.Errors != 1 {
				t.Fatalf("%+v, %v", got, err)
			}
			if diff := cmp.Diff([]string{"3 row_too_long"}, errorLines(t, errors)); diff != "" {
				t.Error(diff)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
				t.Errorf("%d MB were allocated", used>>20)
			}
		})
	}
}

func TestFailingFileKeepsWhatWasRead(t *testing.T) {
	broken := errors.New("input/output error")
	text := "t,u,s,c\n" + strings.Repeat(good, 10)
	got, err := Run(t.Context(), Source{Name: "t.csv", Reader: io.MultiReader(strings.NewReader(text), failing{broken})}, mapping(t, simple), newShelf(), Options{BatchSize: 4})
	if f := fault.Of(err); f.Reason != "import_ratings_read" || !errors.Is(err, broken) || fmt.Sprint(f.Args) != "[line 12]" {
		t.Errorf("%v", err)
	}
	if got.Stored != 10 {
		t.Errorf("stored %d", got.Stored)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestNDJSON(t *testing.T) {
	m := mapping(t, `
source: json
time: {column: at, formats: [rfc3339, unix_ms]}
constants: {channel: web, questionnaire: kiosk@1}
columns: {unit: place.unit, ticket: ticket}
overall: {column: score}
answers: [{question: reasons, column: why, choices: {Chờ lâu: waiting, Thái độ: attitude}}]
comment: [{column: words}]
identity: {columns: [at, ticket]}
`)
	text := `{"at":"2026-03-02T08:00:00+07:00","place":{"unit":"A","x":1},"score":5,"why":["chờ lâu","Thái độ"],"words":"tốt","ticket":1}
{"at":1772413260000,"place":{"unit":"A"},"score":"4","why":null,"ticket":2.0}

{"at":"2026-03-02T08:00:00Z","place":{"unit":"A"},"score":{"v":5},"ticket":3}
{"at":"2026-03-02T08:00:00Z"
[1,2]
null
{"at":"2026-03-02T08:00:00Z","place":{"unit":"A"},"score":5,"ticket":4} {"at":1}
{"at":"2026-03-02T08:00:00+07:00","place":{"unit":"A"},"score":5,"why":["chờ lâu","Thái độ"],"words":"tốt","ticket":1}
{"at":"2026-03-02T08:00:00+07:00","place":{"unit":"A"},"score":3,"ticket":1}
{"score":5}
`
	errors := filepath.Join(t.TempDir(), "errors.csv")
	store := newShelf()
	got, err := Run(t.Context(), Source{Name: "x.ndjson", Reader: strings.NewReader(text)}, m, store, Options{ErrorsPath: errors})
	if err != nil {
		t.Fatal(err)
	}
	if got.Stored != 2 || got.Duplicate != 1 || got.Conflict != 1 || got.Errors != 6 || got.SameIdentity != 1 || got.OtherContent != 1 || got.Blank != 1 {
		t.Errorf("%+v", got)
	}
	want := []string{"4 row_json", "5 row_json", "6 row_json", "7 row_json", "8 row_json", "10 rating_conflict", "11 time_missing", "11 unit_missing", "11 identity_empty"}
	if diff := cmp.Diff(want, errorLines(t, errors)); diff != "" {
		t.Error(diff)
	}
	unseen, err := Run(t.Context(), Source{Name: "x.ndjson", Reader: strings.NewReader(`{"At":1}`)}, m, nil, Options{DryRun: true})
	if err != nil || len(unseen.UnseenColumns) != 6 {
		t.Errorf("%v, %v", unseen.UnseenColumns, err)
	}
}
