package catalog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goips/ips/catalog"
)

// op returns an operation of a log as text.
func op(members, clock string) string {
	return fmt.Sprintf(`{%s"op-time":"20200102T%sZ","op-type":"add","version":"1,5.11"}`, members, clock)
}

// TestUpdateForms reads logs of all forms and writes them in the one that there is.
func TestUpdateForms(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", `{}`, `{}`},
		{"names out of order", `{"p":{"b":[` + op("", "020405") + `],"a":[` + op("", "030405") + `,` + op("", "010405") + `]},"o":{"z":[` + op("", "000405") + `]}}`,
			`{"o":{"z":[` + op("", "000405") + `]},"p":{"a":[` + op("", "030405") + `,` + op("", "010405") + `],"b":[` + op("", "020405") + `]}}`},
		{"members that are no publishers", `{"_b":2,"Z":{"a":[` + op("", "030405") + `]},"p":{"a":[` + op("", "030405") + `]},"_a":1}`,
			`{"Z":{"a":[` + op("", "030405") + `]},"_a":1,"_b":2,"p":{"a":[` + op("", "030405") + `]}}`},
		{"further members", `{"p":{"a":[` + op(`"zz":{"b":1,"a":2},"catalog.base.C":{"x":1,"version":"1,5.11","a":"é"},"catalog.summary.C":{"actions":[],"b":[],"version":"1,5.11"},`, "030405") + `]}}`,
			`{"p":{"a":[{"catalog.base.C":{"a":"\u00e9","version":"1,5.11","x":1},"catalog.summary.C":{"actions":[],"b":[],"version":"1,5.11"},` +
				`"op-time":"20200102T030405Z","op-type":"add","version":"1,5.11","zz":{"a":2,"b":1}}]}}`},
		{"no list of actions", `{"p":{"a":[` + op(`"catalog.dependency.C":{"version":"1,5.11"},`, "030405") + `]}}`,
			`{"p":{"a":[` + op(`"catalog.dependency.C":{"version":"1,5.11"},`, "030405") + `]}}`},
		{"a digest that is none", `{"p":{"a":[` + op(`"catalog.base.C":{"signature-sha-1":"ABC","version":"1,5.11"},`, "030405") + `]}}`,
			`{"p":{"a":[` + op(`"catalog.base.C":{"signature-sha-1":"ABC","version":"1,5.11"},`, "030405") + `]}}`},
	}
	for _, tt := range tests {
		sum := fmt.Sprintf("%x", sha1Sum(tt.want+"\n"))
		sep := ","
		if tt.want == "{}" {
			sep = ""
		}
		signature := sep + `"_SIGNATURE":{"sha-1":"` + sum + `"}}` + "\n"
		for text, want := range map[string]string{
			" " + tt.text: tt.want + "\n",
			strings.TrimSuffix(tt.text, "}") + signature: strings.TrimSuffix(tt.want, "}") + signature,
		} {
			u, err := catalog.ReadUpdate("update.20200102T03Z.C", strings.NewReader(text), nil)
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			var b strings.Builder
			if _, err := u.WriteTo(&b); err != nil || b.String() != want {
				t.Errorf("%s: error %v\n got %swant %s", tt.name, err, b.String(), want)
			}
			if last := at("2020-01-02 03:04:05"); tt.want != "{}" && !u.Modified().Equal(last) {
				t.Errorf("%s: modified at %s", tt.name, u.Modified())
			}
		}
	}
}

// TestUpdateOrder reads many operations on few packages, whose order must stay.
func TestUpdateOrder(t *testing.T) {
	var text strings.Builder
	for i := range 60 {
		sep := fmt.Sprintf(`,"p%d":{"a":[`, 60-i)
		for n := range 30 {
			text.WriteString(sep + op("", fmt.Sprintf("0304%02d", n*7%30)))
			sep = ","
		}
		text.WriteString("]}")
	}
	u, err := catalog.ReadUpdate("update.20200102T03Z.C", strings.NewReader("{"+text.String()[1:]+"}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for op := range u.Ops() {
		got += op.FMRI.Publisher() + op.Time.Format("05 ")
	}
	fields := strings.Fields(got)
	for i, field := range fields {
		if second := field[len(field)-2:]; second != fmt.Sprintf("%02d", i%30*7%30) {
			t.Fatalf("operation %d is %s", i, field)
		}
	}
	if len(fields) != 60*30 {
		t.Errorf("%d operations", len(fields))
	}
}

// TestUpdateOdd has logs whose canonical form is not known any more, since a version or time is
// written otherwise. Their bytes can still be verified.
func TestUpdateOdd(t *testing.T) {
	for _, pair := range [][2]string{{`"version":"1,5.11"`, `"version":"1"`}, {`030405Z`, `030405.000000Z`}} {
		canonical := `{"p":{"a":[` + op("", "030405") + `]}`
		odd := strings.Replace(canonical, pair[0], pair[1], 1)
		for text, ok := range map[string]bool{
			odd + fmt.Sprintf(`,"_SIGNATURE":{"sha-1":"%x"}}`, sha1Sum(odd+"}\n")) + "\n":              true,
			odd + fmt.Sprintf(`,"_SIGNATURE":{"sha-1":"%x"}}`, sha1Sum(canonical+"}\n")) + "\n":        false,
			canonical + fmt.Sprintf(`,"_SIGNATURE": {"sha-1":"%x"}}`, sha1Sum(canonical+"}\n")) + "\n": true,
			" " + odd + fmt.Sprintf(`,"_SIGNATURE":{"sha-1":"%x"}}`, sha1Sum(odd+"}\n")) + "\n":        false,
		} {
			_, err := catalog.ReadUpdate("update.20200102T03Z.C", strings.NewReader(text), nil)
			var bad *catalog.SignatureError
			if ok != (err == nil) || !ok && !errors.As(err, &bad) {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
}

// TestUpdateFiles looks at the names and times of logs that a repository far from Greenwich
// writes.
func TestUpdateFiles(t *testing.T) {
	now := at("2020-01-02 23:59:59.5").In(time.FixedZone("east", 14*3600))
	b := &catalog.Builder{Now: now, Logs: files2fs(nil)}
	add(t, b, []string{"pkg://p/a@1", "set name=pkg.summary:fr value=a"})
	var got []string
	for f := range build(t, b).Files() {
		if !f.ModTime.Equal(at("2020-01-02 23:59:59")) {
			t.Errorf("%s: time %s", f.Name, f.ModTime)
		}
		got = append(got, f.Name)
	}
	want := "update.20200102T23Z.C update.20200102T23Z.fr catalog.base.C catalog.summary.fr catalog.attrs"
	if strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
