// Calls that ask a builtin for more time or memory than an evaluation has: each ends soon and within bounds.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "document/json.h"
#include "rules/builtins/builtin.h"
#include "rules/builtins/prepared_cache.h"

namespace portcullis::builtins {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kLimitBytes = std::size_t{64} << 20;
constexpr milliseconds kDeadline{100};

// Builds operands; what they are made of lives in an arena of its own.
class Operands {
 public:
  Value Text(std::string text) { return Value::String(arena_.CopyString(text)); }
  Value Text(std::size_t times, std::string_view text) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) {
      all += text;
    }
    return Text(std::move(all));
  }
  Value Json(std::string_view text) { return document::ParseJson(text, arena_).value(); }
  Value Repeated(std::size_t times, const Value& item) {
    document::ArrayBuilder items(arena_);
    for (std::size_t i = 0; i < times; ++i) {
      items.Add(item);
    }
    return items.Finish();
  }
  template <class Item>
  Value List(std::size_t size, Item item) {
    document::ArrayBuilder items(arena_);
    for (std::size_t i = 0; i < size; ++i) {
      items.Add(item(i));
    }
    return items.Finish();
  }
  Value Object(const std::vector<std::pair<std::string, Value>>& members) {
    document::ObjectBuilder object(arena_);
    for (const auto& [key, value] : members) {
      object.Add(Text(key), value);
    }
    return object.Finish();
  }
  // Two to the power of `levels` leaves, by sharing.
  Value Shared(int levels, Value leaf = Value::Int(1)) {
    for (int i = 0; i < levels; ++i) {
      leaf = Repeated(2, leaf);
    }
    return leaf;
  }

 private:
  document::Arena arena_;
};

struct Hostile {
  std::string name;
  std::function<std::vector<Value>(Operands&)> operands;
  std::string builtin = {};  // Where it is not the name.
};

std::size_t StatusKilobytes(std::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) {
      return std::strtoull(line.c_str() + field.size() + 1, nullptr, 10);
    }
  }
  return 0;
}

class HostileCalls : public testing::TestWithParam<Hostile> {};

milliseconds ThreadTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return milliseconds(time.tv_sec * 1000 + time.tv_nsec / 1'000'000);
}

TEST_P(HostileCalls, EndSoonWithinTheirMemory) {
  const Hostile& hostile = GetParam();
  static const auto catalog = Catalog::Create();
  const std::string& name = hostile.builtin.empty() ? hostile.name : hostile.builtin;
  const Builtin* builtin = catalog->Find(name);
  ASSERT_NE(builtin, nullptr) << name;
  Operands operands;
  const std::vector<Value> arguments = hostile.operands(operands);
  std::ofstream("/proc/self/clear_refs") << "5";  // The peak begins anew.
  const std::size_t before = StatusKilobytes("VmRSS:");
  SystemClock clock;
  document::Arena arena(kLimitBytes);
  PreparedCache prepared;
  CallContext context(arena, prepared, clock);
  context.deadline = clock.Now() + kDeadline;
  // In CPU time: on a machine with other work the end comes later.
  const milliseconds begin = ThreadTime();
  const Value result = builtin->function(context, arguments);
  const milliseconds took = ThreadTime() - begin;
  const std::size_t peak = StatusKilobytes("VmHWM:");
  const std::size_t grown = peak > before ? (peak - before) >> 10 : 0;
  RecordProperty("milliseconds", static_cast<int>(took.count()));
  RecordProperty("mebibytes", static_cast<int>(grown));
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr milliseconds kMost{10'000};
#else
  constexpr milliseconds kMost{1'000};
  EXPECT_LE(grown, 4 * (kLimitBytes >> 20)) << "MiB";
#endif
  EXPECT_LE(took, kMost);
  EXPECT_TRUE(result.is_defined() || context.failure != FailureKind::kNone) << "no error";
}

const Hostile kHostile[] = {
    {"numbers.range", [](Operands& o) { return std::vector{Value::Int(0), o.Json("1e12")}; }},
    {"numbers.range_big",
     [](Operands& o) { return std::vector{o.Json("100000000000000000000"), Value::Int(0)}; },
     "numbers.range"},
    {"numbers.range_step",
     [](Operands& o) {
       return std::vector{o.Json("100000000000000000000"), Value::Int(0), Value::Int(3)};
     }},
    {"sprintf_width", [](Operands& o) { return std::vector{o.Text("%999999999d"), o.Json("[1]")}; },
     "sprintf"},
    {"sprintf_star", [](Operands& o) { return std::vector{o.Text("%0*d"), o.Json("[999999, 1]")}; },
     "sprintf"},
    {"sprintf_precision",
     [](Operands& o) { return std::vector{o.Text(100, "%[1].999999f"), o.Json("[1.5]")}; },
     "sprintf"},
    {"sprintf_texts",
     [](Operands& o) {
       return std::vector{o.Text(10000, "%[1]s"), o.Repeated(1, o.Text(1 << 20, "a"))};
     },
     "sprintf"},
    {"sprintf_shared",
     [](Operands& o) { return std::vector{o.Text("%v"), o.Repeated(1, o.Shared(40))}; }, "sprintf"},
    {"replace",
     [](Operands& o) {
       return std::vector{o.Text(1 << 20, "a"), o.Text("a"), o.Text(1 << 16, "b")};
     }},
    {"replace_nothing",
     [](Operands& o) {
       return std::vector{o.Text(1 << 20, "a"), o.Text(""), o.Text(1 << 16, "b")};
     },
     "replace"},
    {"strings.replace_n",
     [](Operands& o) {
       return std::vector{o.Object({{"a", o.Text(1 << 16, "b")}}), o.Text(1 << 20, "a")};
     }},
    {"concat",
     [](Operands& o) {
       return std::vector{o.Text(1 << 16, ","), o.Repeated(100000, o.Text(1 << 16, "a"))};
     }},
    {"internal.template_string",
     [](Operands& o) { return std::vector{o.Repeated(100000, o.Text(1 << 16, "a"))}; }},
    {"split", [](Operands& o) { return std::vector{o.Text(16 << 20, "a"), o.Text("")}; }},
    {"split_commas", [](Operands& o) { return std::vector{o.Text(16 << 20, ","), o.Text(",")}; },
     "split"},
    {"indexof_n", [](Operands& o) { return std::vector{o.Text(16 << 20, "a"), o.Text("a")}; }},
    {"contains",
     [](Operands& o) {
       return std::vector{o.Text(8 << 20, "a"), o.Text(std::string(4 << 20, 'a') + "b")};
     }},
    {"indexof",
     [](Operands& o) {
       return std::vector{o.Text(8 << 20, "a"), o.Text(std::string(4 << 20, 'a') + "b")};
     }},
    {"strings.count",
     [](Operands& o) {
       return std::vector{o.Text(8 << 20, "a"), o.Text(std::string(4 << 20, 'a') + "b")};
     }},
    {"replace_needle",
     [](Operands& o) {
       return std::vector{o.Text(8 << 20, "a"), o.Text(std::string(4 << 20, 'a') + "b"),
                          o.Text("c")};
     },
     "replace"},
    {"replace_n_needles",
     [](Operands& o) {
       return std::vector{o.Object({{std::string(1 << 20, 'a') + "b", o.Text("x")},
                                    {std::string(1 << 20, 'a') + "c", o.Text("y")}}),
                          o.Text(8 << 20, "a")};
     },
     "strings.replace_n"},
    {"trim",
     [](Operands& o) {
       return std::vector{o.Text(4 << 20, "é"), o.Text(std::string(4 << 20, 'a') + "é")};
     }},
    {"strings.any_prefix_match",
     [](Operands& o) {
       return std::vector{
           o.List(50000, [&](std::size_t i) { return o.Text("a" + std::to_string(i)); }),
           o.List(50000, [&](std::size_t i) { return o.Text("b" + std::to_string(i)); })};
     }},
    {"strings.any_suffix_match",
     [](Operands& o) {
       return std::vector{
           o.List(50000, [&](std::size_t i) { return o.Text(std::to_string(i) + "a"); }),
           o.List(50000, [&](std::size_t i) { return o.Text(std::to_string(i) + "b"); })};
     }},
    {"regex.split", [](Operands& o) { return std::vector{o.Text(""), o.Text(16 << 20, "a")}; }},
    {"regex.find_n",
     [](Operands& o) { return std::vector{o.Text("a"), o.Text(16 << 20, "a"), Value::Int(-1)}; }},
    {"regex.find_all_string_submatch_n",
     [](Operands& o) {
       return std::vector{o.Text("((((a))))"), o.Text(16 << 20, "a"), Value::Int(-1)};
     }},
    {"regex.find_n_backward",
     [](Operands& o) {
       return std::vector{o.Text("a.*b|a"), o.Text(4 << 20, "a"), Value::Int(-1)};
     },
     "regex.find_n"},
    {"regex.replace",
     [](Operands& o) {
       return std::vector{o.Text(1 << 20, "a"), o.Text("a*"), o.Text(1 << 10, "$0")};
     }},
    {"regex.match",
     [](Operands& o) {
       return std::vector{o.Text("((a{0,1000}){0,1000})*$"), o.Text(1 << 20, "a")};
     }},
    {"regex.match_long",
     [](Operands& o) { return std::vector{o.Text(1 << 19, "(a"), o.Text("a")}; }, "regex.match"},
    {"regex.globs_match",
     [](Operands& o) { return std::vector{o.Text(100000, "a*"), o.Text(100000, "b*")}; }},
    {"regex.globs_match_small",
     [](Operands& o) { return std::vector{o.Text(5000, "[a-m]*[b-z]*"), o.Text(5000, "a*b*")}; },
     "regex.globs_match"},
    {"glob.match",
     [](Operands& o) {
       return std::vector{o.Text(100000, "*a"), o.Json("[]"), o.Text(1 << 20, "a")};
     }},
    {"glob.match_braces",
     [](Operands& o) {
       return std::vector{o.Text(100, "{a,b,{c,d}*,*}"), Value::Null(), o.Text(1 << 20, "a")};
     },
     "glob.match"},
    {"graph.reachable_paths",
     [](Operands& o) {
       std::vector<std::pair<std::string, Value>> graph;
       const Value edges = o.List(30, [&](std::size_t i) { return o.Text(std::to_string(i)); });
       for (int i = 0; i < 30; ++i) {
         graph.emplace_back(std::to_string(i), edges);
       }
       return std::vector{o.Object(graph), edges};
     }},
    {"graph.reachable_paths_chain",
     [](Operands& o) {
       std::vector<std::pair<std::string, Value>> graph;
       for (int i = 0; i < 200000; ++i) {
         graph.emplace_back(std::to_string(i), o.Repeated(1, o.Text(std::to_string(i + 1))));
       }
       return std::vector{o.Object(graph), o.Json("[\"0\"]")};
     },
     "graph.reachable_paths"},
    {"bits.lsh", [](Operands&) { return std::vector{Value::Int(1), Value::Int(1000000000)}; }},
    {"bits.lsh_far",
     [](Operands& o) { return std::vector{Value::Int(1), o.Json("9223372036854775807")}; },
     "bits.lsh"},
    {"mul", [](Operands& o) { return std::vector{o.Json("1e999999999"), o.Json("1e999999999")}; }},
    {"product",
     [](Operands& o) {
       return std::vector{o.Repeated(100000, o.Json("123456789012345678901234567890"))};
     }},
    {"units.parse", [](Operands& o) { return std::vector{o.Text("1e999999999")}; }},
    {"units.parse_bytes", [](Operands& o) { return std::vector{o.Text("1e999999999Ei")}; }},
    {"to_number", [](Operands& o) { return std::vector{o.Text(8 << 20, "9")}; }},
    {"format_int", [](Operands& o) { return std::vector{o.Json("1e999999"), Value::Int(2)}; }},
    {"json.marshal", [](Operands& o) { return std::vector{o.Shared(40)}; }},
    {"json.marshal_with_options",
     [](Operands& o) {
       return std::vector{o.Shared(40), o.Object({{"indent", o.Text(1 << 20, " ")}})};
     }},
    {"json.unmarshal", [](Operands& o) { return std::vector{o.Text(4 << 20, "[")}; }},
    {"json.unmarshal_many",
     [](Operands& o) { return std::vector{o.Text("[" + std::string(16 << 20, ' ') + "]")}; },
     "json.unmarshal"},
    {"json.unmarshal_items",
     [](Operands& o) {
       std::string text = "[0";
       for (int i = 0; i < (1 << 20); ++i) {
         text += ",0";
       }
       return std::vector{o.Text(text + "]")};
     },
     "json.unmarshal"},
    {"json.patch",
     [](Operands& o) {
       return std::vector{o.Repeated(100000, Value::Int(1)),
                          o.Repeated(100000, o.Json(R"({"op": "add", "path": "/0", "value": 1})"))};
     }},
    {"json.patch_copies",
     [](Operands& o) {
       return std::vector{
           o.Json(R"({"a": [1]})"),
           o.Repeated(100, o.Json(R"({"op": "copy", "from": "/a", "path": "/a/-"})"))};
     },
     "json.patch"},
    {"json.match_schema_circle",
     [](Operands& o) {
       return std::vector{o.Json("{}"), o.Json(R"({"allOf": [{"$ref": "#"}, {"$ref": "#"}]})")};
     },
     "json.match_schema"},
    {"json.match_schema_shared",
     [](Operands& o) { return std::vector{o.Shared(30), o.Json(R"({"items": {"$ref": "#"}})")}; },
     "json.match_schema"},
    {"json.verify_schema",
     [](Operands& o) {
       std::string text = "{}";
       for (int i = 0; i < 900; ++i) {
         text = R"({"not": )" + text + "}";
       }
       return std::vector{o.Text(text)};
     }},
    {"yaml.marshal", [](Operands& o) { return std::vector{o.Shared(40)}; }},
    {"yaml.unmarshal",
     [](Operands& o) {
       std::string text = "a0: &a0 [1, 1]\n";
       for (int i = 1; i < 40; ++i) {
         const std::string before = std::to_string(i - 1);
         text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + before + ", *a" +
                 before + "]\n";
       }
       return std::vector{o.Text(text)};
     }},
    {"yaml.unmarshal_deep", [](Operands& o) { return std::vector{o.Text(1 << 20, "[")}; },
     "yaml.unmarshal"},
    {"base64.decode", [](Operands& o) { return std::vector{o.Text(2 << 20, "AAAA")}; }},
    {"hex.encode", [](Operands& o) { return std::vector{o.Text(8 << 20, "a")}; }},
    {"urlquery.encode", [](Operands& o) { return std::vector{o.Text(8 << 20, "\n")}; }},
    {"urlquery.decode_object", [](Operands& o) { return std::vector{o.Text(16 << 20, "a&")}; }},
    {"walk", [](Operands& o) { return std::vector{o.Shared(40)}; }},
    {"array.flatten", [](Operands& o) { return std::vector{o.Repeated(2, o.Shared(40))}; }},
    {"object.union_n",
     [](Operands& o) {
       return std::vector{o.List(3000, [&](std::size_t i) {
         return o.Object({{std::to_string(i), o.Json("{\"a\": {\"b\": 1}}")}});
       })};
     }},
    {"object.subset",
     [](Operands& o) {
       return std::vector{o.Repeated(200000, Value::Int(1)), o.List(100000, [](std::size_t i) {
                            return Value::Int(i < 99999 ? 1 : 2);
                          })};
     }},
    {"net.cidr_expand", [](Operands& o) { return std::vector{o.Text("::/0")}; }},
    {"net.cidr_contains_matches",
     [](Operands& o) {
       const Value networks = o.Repeated(100000, o.Text("10.0.0.0/8"));
       return std::vector{networks, networks};
     }},
    {"net.cidr_merge",
     [](Operands& o) {
       return std::vector{o.List(200000, [&](std::size_t i) {
         return o.Text(std::to_string(i % 200 + 1) + "." + std::to_string(i / 200 % 250) + "." +
                       std::to_string(i % 250) + ".0/24");
       })};
     }},
    {"graphql.parse_query", [](Operands& o) { return std::vector{o.Text(1 << 20, "{a")}; }},
    {"graphql.parse_query_lists",
     [](Operands& o) { return std::vector{o.Text("{a(b: " + std::string(1 << 20, '['))}; },
     "graphql.parse_query"},
    {"graphql.parse_schema",
     [](Operands& o) { return std::vector{o.Text("type A { a: " + std::string(1 << 20, '['))}; }},
    {"time.format",
     [](Operands& o) {
       return std::vector{
           o.Repeated(1, Value::Int(0)),
       };
     }},
    {"time.parse_ns",
     [](Operands& o) { return std::vector{o.Text(1 << 16, "2006 "), o.Text(1 << 16, "2006 ")}; }},
    {"io.jwt.decode", [](Operands& o) { return std::vector{o.Text(8 << 20, "A.")}; }},
    {"semver.compare",
     [](Operands& o) {
       const Value version = o.Text("1.0.0-" + std::string(16 << 20, '9'));
       return std::vector{version, version};
     }},
    {"sort",
     [](Operands& o) {
       return std::vector{o.List(2000000, [](std::size_t i) {
         return Value::Int(static_cast<std::int64_t>(i * 7919 % 1000003));
       })};
     }},
};

INSTANTIATE_TEST_SUITE_P(All, HostileCalls, testing::ValuesIn(kHostile), [](const auto& test) {
  std::string name = test.param.name;
  std::ranges::replace(name, '.', '_');
  return name;
});

}  // namespace
}  // namespace portcullis::builtins
