5package a

import rego.v1

violation contains {"msg": msg, "details": {"missing": missing}} if {
	provided := {label | input.review.object.metadata.labels[label]}
	required := {label | label := input.parameters.labels[_].key}
	missing := required - provided
	count(missing) > 0
	msg := sprintf("you must provide labels: %v", [missing])
}

p[x][y] := z if { some x, row in data.rows; some y, z in row; print(x, y, z) }

f(x) := x * 2 if x > 1

f(x) := 0 if x <= 1

total := sum([f(n) | some n in numbers.range(0, 9)])

walked contains path if { walk(input, [path, value]); is_string(value) }

swapped := y if { [1, x, {"a": y}] = [1, 2, input.parameters]; x == 2 }

mocked := count([1, 2]) with count as sum with input as 3
#input
{"review": {"object": {"metadata": {"labels": {"a": "b"}}}}, "parameters": {"labels": [{"key": "owner"}], "a": 1}}
#data
{"rows": {"r": {"c": 1.50, "d": [1e3, -0]}}}
