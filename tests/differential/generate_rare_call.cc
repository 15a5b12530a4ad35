// Builtins beyond the everyday ones: patches, graphs, times, addresses, encodings.

#include <array>

#include "tests/differential/generator.h"

namespace portcullis::differential {
namespace {

const ShapePtr kText = Simple(Kind::kString);
const ShapePtr kNumber = Simple(Kind::kNumber);

}  // namespace

// ["/a", "/a/b", …]
std::string Generator::Pointer(const Shape& map) {
  static constexpr auto kTails =
      std::to_array<std::string_view>({"", "", "", "/a", "/0", "/-", "/b/c", "/", "/~1"});
  return "\"" + std::string(random_.Chance(90) ? "/" : "") + std::string(RandomKey(random_, map)) +
         std::string(random_.Pick(kTails)) + '"';
}

std::string Generator::Patch(const ShapePtr& want, Scope& scope) {
  std::string text;
  for (unsigned i = 1 + random_.Below(2); i > 0; --i) {
    const std::string_view op = random_.Pick(std::to_array<std::string_view>(
        {"add", "add", "replace", "remove", "test", "move", "copy"}));
    text += (text.empty() ? "{\"op\": \"" : ", {\"op\": \"") + std::string(op) +
            "\", \"path\": " + Pointer(*want);
    if (op == "move" || op == "copy") {
      text += ", \"from\": " + Pointer(*want);
    } else if (op != "remove") {
      text += ", \"value\": " + Term(want->item, scope);
    }
    text += '}';
  }
  return "json.patch(" + Term(want, scope) + ", [" + text + "])";
}

std::string Generator::RareText(Scope& scope) {
  static constexpr auto kEncoders = std::to_array<std::string_view>(
      {"base64url.encode", "base64url.encode_no_pad", "hex.encode", "crypto.md5", "crypto.sha256",
       "glob.quote_meta", "urlquery.decode", "base64.decode", "hex.decode", "crypto.sha1"});
  static constexpr auto kTimes = std::to_array<std::string_view>(
      {"1577836800000000000", "[1577836800000000000, \"Europe/Berlin\"]",
       "[1577836800123456789, \"UTC\", \"RFC3339Nano\"]",
       "[1577836800000000000, \"\", \"Mon Jan 2 15:04:05 2006\"]"});
  switch (random_.Below(10)) {
    case 8:
      return std::string(random_.Pick(std::to_array<std::string_view>(
          {"rego.metadata.rule().title", "sprintf(\"%v\", [rego.metadata.chain()])",
           "sprintf(\"%v\", [rego.metadata.rule()])",
           "concat(\".\", rego.metadata.chain()[0].path)",
           "rego.metadata.chain()[_].annotations.title",
           "object.get(rego.metadata.rule(), \"title\", \"none\")",
           "json.marshal([rego.metadata.chain()[_].annotations.custom])"})));
    case 0:
      return "time.format(" + std::string(random_.Pick(kTimes)) + ")";
    case 1:
      return "time.weekday(" + std::string(random_.Pick(kTimes)) + ")";
    case 2:
      return "yaml.marshal(" + Term(SmallShape(), scope) + ")";
    case 3:
      return "json.marshal_with_options(" + Term(SmallShape(), scope) +
             ", {\"pretty\": " + (random_.Chance(50) ? "true" : "false") + ", \"indent\": \" \"})";
    case 4:
      return "strings.render_template(\"<{{range .a}}{{.}},{{end}}>\", {\"a\": " +
             Term(ArrayOf(MemberShape()), scope) + "})";
    case 5:
      return "sprintf(" +
             std::string(random_.Pick(std::to_array<std::string_view>(
                 {"\"%08.3f\"", "\"%+d\"", "\"%-6v|\"", "\"%#v\"", "\"%t\"", "\"%e\"", "\"%c\"",
                  "\"%U\"", "\"%b\"", "\"%o\"", "\"%X\"", "\"%g\""}))) +
             ", [" + Term(MemberShape(), scope) + "])";
    case 6:
      return "json.marshal(json.unmarshal(" + Term(kText, scope) + "))";
    case 7:
      return "crypto.hmac.sha256(" + Term(kText, scope) + ", " + Term(kText, scope) + ")";
    default:
      return std::string(random_.Pick(kEncoders)) + "(" + Term(kText, scope) + ")";
  }
}

std::string Generator::RareNumber(Scope& scope) {
  static constexpr auto kBits =
      std::to_array<std::string_view>({"bits.or", "bits.xor", "bits.lsh", "bits.rsh"});
  static constexpr auto kTimes = std::to_array<std::string_view>(
      {"time.parse_rfc3339_ns(\"2020-01-01T00:00:00Z\")", "time.parse_duration_ns(\"1h30m\")",
       "time.parse_ns(\"2006-01-02\", \"2021-02-29\")", "time.add_date(0, 1, 2, 3)",
       "time.date([1577836800000000000, \"Asia/Tokyo\"])[1]",
       "time.diff(0, 1577836800000000000)[0]", "semver.compare(\"1.2.3\", \"1.2.3-a\")",
       "units.parse_bytes(\"1.5GiB\")"});
  switch (random_.Below(4)) {
    case 0:
      return std::string(random_.Pick(kBits)) + "(" + Term(kNumber, scope) + ", " +
             std::to_string(random_.Below(5)) + ")";
    case 1:
      return "bits.negate(" + Term(kNumber, scope) + ")";
    case 2:
      return "count(json.marshal(" + Term(SmallShape(), scope) + "))";
    default:
      return std::string(random_.Pick(kTimes));
  }
}

std::string Generator::RareBoolean(Scope& scope) {
  switch (random_.Below(7)) {
    case 0:
      return "net.cidr_contains(\"10.0.0.0/" + std::to_string(random_.Below(34)) + "\", \"10.0." +
             std::to_string(random_.Below(3)) + ".1\")";
    case 1:
      return "semver.is_valid(" + Term(kText, scope) + ")";
    case 2:
      return "strings.any_suffix_match(" + Term(kText, scope) + ", " + Term(ArrayOf(kText), scope) +
             ")";
    case 3:
      return "yaml.is_valid(" + Term(kText, scope) + ")";
    case 4:
      return "json.match_schema(" + Term(SmallShape(), scope) + ", {\"type\": \"" +
             std::string(random_.Pick(std::to_array<std::string_view>(
                 {"object", "array", "string", "number", "integer", "null"}))) +
             "\"})[0]";
    case 5:
      return "base64.is_valid(" + Term(kText, scope) + ")";
    default:
      return "regex.globs_match(\"a.*\", " + Term(kText, scope) + ")";
  }
}

std::optional<std::string> Generator::RareCall(const ShapePtr& want, Scope& scope) {
  const bool texts = want->item && want->item->kind == Kind::kString;
  switch (want->kind) {
    case Kind::kBoolean:
      return RareBoolean(scope);
    case Kind::kNumber:
      return RareNumber(scope);
    case Kind::kString:
      return RareText(scope);
    case Kind::kMap:
      return random_.Chance(60)
                 ? Patch(want, scope)
                 : "json.filter(" + Term(want, scope) + ", [" + Pointer(*want) + "])";
    case Kind::kArray:
      if (texts) {
        return random_.Chance(50) ? "regex.find_n(\"[a-c]\", " + Term(kText, scope) + ", -1)"
                                  : "regex.split(\"[-.o]\", " + Term(kText, scope) + ")";
      }
      if (want->item->kind == Kind::kNumber) {
        return random_.Chance(50)
                   ? "indexof_n(" + Term(kText, scope) + ", " + Term(kText, scope) + ")"
                   : "numbers.range_step(" + std::to_string(random_.Below(9)) + ", " +
                         std::to_string(random_.Below(9)) + ", " +
                         std::to_string(1 + random_.Below(3)) + ")";
      }
      return "array.flatten([" + Term(want, scope) + ", " + Term(want, scope) + "])";
    case Kind::kSet:
      if (texts) {
        return random_.Chance(70)
                   ? "graph.reachable(" + Term(MapOf(ArrayOf(kText)), scope) + ", " +
                         Term(want, scope) + ")"
                   : "{e | e := json.unmarshal(json.marshal(" + Term(want, scope) + "))[_]}";
      }
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace portcullis::differential
