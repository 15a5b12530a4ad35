package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// Request is one program. A module's text is keyed by its file name, which error texts show.
type Request struct {
	ID            json.RawMessage   `json:"id"`
	Modules       map[string]string `json:"modules"`
	Version       string            `json:"version"` // "v0" or "v1": of the modules; queries are always v1
	Query         string            `json:"query"`   // empty: compile only
	Input         json.RawMessage   `json:"input"`
	InputTerm     string            `json:"input_term"` // instead of input: a Rego term
	Data          json.RawMessage   `json:"data"`
	Strict        bool              `json:"strict"`                // the compiler's strict mode
	StrictBuiltin bool              `json:"strict_builtin_errors"` // a builtin's error ends the evaluation
	TimeoutMillis int               `json:"timeout_ms"`
	Iterations    int               `json:"iterations"` // of bench; 0: as many as fit half a second
}

// Problem is one of OPA's errors.
type Problem struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	File    string   `json:"file,omitempty"`
	Row     int      `json:"row,omitempty"`
	Col     int      `json:"col,omitempty"`
	Details []string `json:"details,omitempty"`
}

// Answer has errors, or the solutions in order: one object a solution, and under "" what the query's expressions gave,
// as Rego terms in text, so that sets and numbers keep their form.
type Answer struct {
	ID        json.RawMessage     `json:"id"`
	Solutions []map[string]string `json:"solutions,omitempty"`
	Errors    []Problem           `json:"errors,omitempty"`
	Text      string              `json:"text,omitempty"` // of all errors, as OPA prints them
}

func problems(err error) []Problem {
	var several ast.Errors
	if errors.As(err, &several) {
		out := make([]Problem, 0, len(several))
		for _, e := range several {
			p := Problem{Code: e.Code, Message: e.Message}
			if e.Location != nil {
				p.File, p.Row, p.Col = e.Location.File, e.Location.Row, e.Location.Col
			}
			if e.Details != nil {
				p.Details = e.Details.Lines()
			}
			out = append(out, p)
		}
		return out
	}
	var one *topdown.Error
	if errors.As(err, &one) {
		p := Problem{Code: one.Code, Message: one.Message}
		if one.Location != nil {
			p.File, p.Row, p.Col = one.Location.File, one.Location.Row, one.Location.Col
		}
		return []Problem{p}
	}
	return []Problem{{Code: "other", Message: err.Error()}}
}

func (r *Request) compile() (*ast.Compiler, error) {
	version := ast.RegoV1
	if r.Version == "v0" {
		version = ast.RegoV0
	}
	names := make([]string, 0, len(r.Modules))
	for name := range r.Modules {
		names = append(names, name)
	}
	sort.Strings(names)
	modules := map[string]*ast.Module{}
	for _, name := range names {
		module, err := ast.ParseModuleWithOpts(name, r.Modules[name], ast.ParserOptions{RegoVersion: version, ProcessAnnotation: true})
		if err != nil {
			return nil, err
		}
		modules[name] = module
	}
	compiler := ast.NewCompiler().WithStrict(r.Strict).WithEnablePrintStatements(false)
	compiler.Compile(modules)
	if compiler.Failed() {
		return nil, compiler.Errors
	}
	return compiler, nil
}

// With asText results are Rego terms in text; without, they are not converted at all.
func (r *Request) prepare(ctx context.Context, asText bool) (*rego.PreparedEvalQuery, []rego.EvalOption, error) {
	compiler, err := r.compile()
	if err != nil {
		return nil, nil, err
	}
	if r.Query == "" {
		return nil, nil, nil
	}
	data := map[string]any{}
	if len(r.Data) > 0 && string(r.Data) != "null" {
		decoder := json.NewDecoder(strings.NewReader(string(r.Data)))
		decoder.UseNumber()
		if err := decoder.Decode(&data); err != nil {
			return nil, nil, fmt.Errorf("data: %w", err)
		}
	}
	prepared, err := rego.New(rego.Query(r.Query), rego.Compiler(compiler), rego.StrictBuiltinErrors(r.StrictBuiltin),
		rego.SetRegoVersion(ast.RegoV1), rego.Store(inmem.NewFromObject(data)), rego.GenerateJSON(func(term *ast.Term, _ *rego.EvalContext) (any, error) {
			if !asText {
				return nil, nil
			}
			return term.String(), nil
		})).PrepareForEval(ctx)
	if err != nil {
		return nil, nil, err
	}
	var options []rego.EvalOption
	switch {
	case r.InputTerm != "":
		term, err := ast.ParseTerm(r.InputTerm)
		if err != nil {
			return nil, nil, err
		}
		options = append(options, rego.EvalParsedInput(term.Value))
	case len(r.Input) > 0:
		value, err := ast.ValueFromReader(strings.NewReader(string(r.Input)))
		if err != nil {
			return nil, nil, err
		}
		options = append(options, rego.EvalParsedInput(value))
	}
	return &prepared, options, nil
}

func answer(r *Request) (out Answer) {
	// OPA's type checker panics on some wrong programs.
	defer func() {
		if reason := recover(); reason != nil {
			out = Answer{ID: r.ID, Errors: []Problem{{Code: "panic", Message: fmt.Sprint(reason)}}}
		}
	}()
	timeout := 10 * time.Second
	if r.TimeoutMillis > 0 {
		timeout = time.Duration(r.TimeoutMillis) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	out = Answer{ID: r.ID}
	prepared, options, err := r.prepare(ctx, true)
	if err == nil && prepared != nil {
		var results rego.ResultSet
		results, err = prepared.Eval(ctx, options...)
		for _, result := range results {
			solution := map[string]string{}
			for name, value := range result.Bindings {
				solution[name] = fmt.Sprint(value)
			}
			texts := make([]string, 0, len(result.Expressions))
			for _, expression := range result.Expressions {
				texts = append(texts, fmt.Sprint(expression.Value))
			}
			solution[""] = strings.Join(texts, "; ")
			out.Solutions = append(out.Solutions, solution)
		}
	}
	if err != nil {
		out.Solutions, out.Errors, out.Text = nil, problems(err), err.Error()
	}
	return out
}
