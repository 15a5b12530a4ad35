1package a

import data.b.g as h

default f(_) := 0

f(x) := y if {
	some y in [x, x + 1]
	y > h(x)
} else := x if x == 2

p contains x if some x in input.xs

q[k].v := f(k) if some k, _ in input

r if every k, v in input { k != v; not p[v] }
#module
package b

g(x) := {"a": y | y := x[_]} with input.a as x

s := $"{g(1)} and {input.x}"
#input
x = data.a.f(1); y := data.b.s with count as sum
