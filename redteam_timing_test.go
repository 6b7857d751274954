package caddyicalmail

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// variableTime are functions that end early when two values differ early.
var variableTime = regexp.MustCompile(`^(bytes\.(Equal|Compare|HasPrefix|Contains)|slices\.(Equal|Compare|Contains)|strings\.(EqualFold|Compare|Contains)|reflect\.DeepEqual|maps\.Equal)$`)

// secretName is what values are called that must not be compared by ==.
var secretName = regexp.MustCompile(`(?i)(^|[^a-z])(mac|sig|signature|digest|hash|sum|token|want|candidate|expected)(\[:\]|s)?$`)

// TestSignaturesTakeConstantTime reads the code: a file that makes an HMAC
// compares with hmac.Equal or crypto/subtle, and in no other way.
func TestSignaturesTakeConstantTime(t *testing.T) {
	checked := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && (d.Name() == "testdata" || d.Name() == "smtptest" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if checkConstantTime(t, path) {
			checked++
		}
		return nil
	})
	if err != nil || checked == 0 {
		t.Errorf("%d files make an HMAC (%v)", checked, err)
	}
}

// checkConstantTime reports whether the file makes an HMAC.
func checkConstantTime(t *testing.T, path string) bool {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	makes := false
	for _, spec := range file.Imports {
		makes = makes || spec.Path.Value == `"crypto/hmac"`
	}
	if !makes {
		return false
	}
	compares := false
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			name := source(files, n.Fun)
			compares = compares || name == "hmac.Equal" || strings.HasPrefix(name, "subtle.")
			if variableTime.MatchString(name) {
				t.Errorf("%s: %s takes a time that tells where two values differ", files.Position(n.Pos()), name)
			}
		case *ast.BinaryExpr:
			if n.Op != token.EQL && n.Op != token.NEQ || isConstant(n.X) || isConstant(n.Y) {
				break
			}
			for _, operand := range []ast.Expr{n.X, n.Y} {
				if secretName.MatchString(source(files, operand)) {
					t.Errorf("%s: %s is compared by %s", files.Position(n.Pos()), source(files, operand), n.Op)
				}
			}
		}
		return true
	})
	if !compares {
		t.Errorf("%s makes an HMAC, and compares nothing in constant time", path)
	}
	return true
}

// isConstant reports whether an operand is known to everybody.
func isConstant(e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	_, literal := e.(*ast.BasicLit)
	return literal || ok && name.Name == "nil"
}

func source(files *token.FileSet, n ast.Node) string {
	var b bytes.Buffer
	_ = printer.Fprint(&b, files, n) // what was parsed can be printed
	return b.String()
}
