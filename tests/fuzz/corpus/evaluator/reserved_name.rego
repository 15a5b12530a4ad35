0package generated

p[__local0__] {
  trim_prefix("¡¡¡foo, bar!!!", "¡¡¡bar", __local1__)
}

#data
#data
{}