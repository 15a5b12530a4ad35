// Answers for Open Policy Agent, the reference for every result and error text: the differential tests ask it, and the benchmarks
// measure beside it.
//
//	opa_peer answer < requests.jsonl > answers.jsonl
//	opa_peer bench  < benches.jsonl  > times.jsonl
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fail("usage: opa_peer answer|bench")
	}
	reader := bufio.NewReaderSize(os.Stdin, 1<<20)
	writer := bufio.NewWriter(os.Stdout)
	defer writer.Flush()
	decoder := json.NewDecoder(reader)
	decoder.UseNumber()
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	for decoder.More() {
		var request Request
		if err := decoder.Decode(&request); err != nil {
			fail("request: %v", err)
		}
		var reply any
		switch os.Args[1] {
		case "answer":
			reply = answer(&request)
		case "bench":
			reply = bench(&request)
		default:
			fail("unknown mode %s", os.Args[1])
		}
		if err := encoder.Encode(reply); err != nil {
			fail("answer: %v", err)
		}
		// An asker that waits for each answer gets it at once.
		if reader.Buffered() == 0 {
			writer.Flush()
		}
	}
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "opa_peer: "+format+"\n", arguments...)
	os.Exit(2)
}
