1package a
import data.b as c
p contains x if { some x in c.d; print(x) }
q[k].r := v if { k := "a"; v := {"b": 1 | 2} with input.x as c }
s := $"a{p}b"
default t(_) := 1
