package main

import (
	"context"
	"encoding/json"
	"runtime"
	"syscall"
	"time"
)

// Times is what one benchmark took, in CPU time of the whole process: the garbage collector's work counts.
type Times struct {
	ID          json.RawMessage     `json:"id"`
	Iterations  int                 `json:"iterations"`
	CPUNanos    float64             `json:"cpu_ns"`
	ElapsedNano float64             `json:"elapsed_ns"`
	Solutions   []map[string]string `json:"solutions,omitempty"` // of one evaluation, to be compared
	Errors      []Problem           `json:"errors,omitempty"`
}

func cpuNanos() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail("getrusage: %v", err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func bench(r *Request) Times {
	runtime.GOMAXPROCS(1)
	checked := answer(r)
	out := Times{ID: r.ID, Solutions: checked.Solutions, Errors: checked.Errors}
	ctx := context.Background()
	prepared, options, err := r.prepare(ctx, false)
	if err != nil || prepared == nil {
		return out
	}
	run := func(n int) (int64, int64) {
		cpu, start := cpuNanos(), time.Now()
		for range n {
			if _, err := prepared.Eval(ctx, options...); err != nil {
				return 0, 0
			}
		}
		return cpuNanos() - cpu, time.Since(start).Nanoseconds()
	}
	n := r.Iterations
	if n == 0 {
		n = 1
		for {
			if _, elapsed := run(n); elapsed > 50_000_000 || n > 1_000_000 {
				n = max(1, int(float64(n)*500_000_000/float64(max(elapsed, 1))))
				break
			}
			n *= 2
		}
	}
	cpu, elapsed := run(n)
	out.Iterations, out.CPUNanos, out.ElapsedNano = n, float64(cpu)/float64(n), float64(elapsed)/float64(n)
	return out
}
