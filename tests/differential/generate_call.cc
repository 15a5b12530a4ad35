#include <array>

#include "tests/differential/generator.h"

namespace portcullis::differential {
namespace {

const ShapePtr kText = Simple(Kind::kString);
const ShapePtr kNumber = Simple(Kind::kNumber);
const ShapePtr kAny = Simple(Kind::kAny);

}  // namespace

std::optional<std::string> Generator::Call(const ShapePtr& want, Scope& scope) {
  if (random_.Chance(30)) {
    std::vector<const Function*> fitting;
    for (const Function& function : functions_) {
      if (Same(*function.result, *want)) {
        fitting.push_back(&function);
      }
    }
    if (!fitting.empty()) {
      const Function function = *random_.Pick(fitting);
      std::string text = NameOf(function) + '(';
      for (std::size_t i = 0; i < function.arguments.size(); ++i) {
        text += (i == 0 ? "" : ", ") + Term(function.arguments[i], scope);
      }
      return text + ')';
    }
  }
  if (random_.Chance(12)) {
    if (auto rare = RareCall(want, scope)) {
      return rare;
    }
  }
  switch (want->kind) {
    case Kind::kBoolean:
      return random_.Chance(40) ? '(' + Comparison(scope) + ')' : BooleanCall(scope);
    case Kind::kNumber:
      return random_.Chance(40) ? Arithmetic(scope) : NumberCall(scope);
    case Kind::kString:
      return StringCall(scope);
    case Kind::kArray:
      return ArrayCall(want, scope);
    case Kind::kSet:
      return SetCall(want, scope);
    case Kind::kMap:
      return MapCall(want, scope);
    default:
      return std::nullopt;
  }
}

std::string Generator::Arithmetic(Scope& scope) {
  const std::string_view op =
      random_.Pick(std::to_array<std::string_view>({"+", "-", "*", "+", "/", "%"}));
  const std::string left = Term(kNumber, scope);
  const std::string right =
      (op == "/" || op == "%") && random_.Chance(85)
          ? std::string(
                random_.Pick(std::to_array<std::string_view>({"2", "3", "4", "7", "10", "-3"})))
          : Term(kNumber, scope);
  // A call as an operand has to stand in parentheses only where it is infix itself.
  const std::string text = left + ' ' + std::string(op) + ' ' + right;
  return random_.Chance(98) ? '(' + text + ')' : text;
}

std::string Generator::BooleanCall(Scope& scope) {
  switch (random_.Below(12)) {
    case 0:
      return "startswith(" + Term(kText, scope) + ", " + Term(kText, scope) + ")";
    case 1:
      return "endswith(" + Term(kText, scope) + ", " + Term(kText, scope) + ")";
    case 2:
      return "contains(" + Term(kText, scope) + ", " + Term(kText, scope) + ")";
    case 3:
      return "regex.match(" +
             std::string(random_.Pick(std::to_array<std::string_view>(
                 {"\"^[a-c]$\"", "`[a-z]+`", "\"o+\"", "\".*\"", "`^\\d`"}))) +
             ", " + Term(kText, scope) + ")";
    case 4: {
      static constexpr auto kChecks = std::to_array<std::string_view>(
          {"is_string", "is_number", "is_array", "is_object", "is_set", "is_boolean", "is_null"});
      return std::string(random_.Pick(kChecks)) + "(" + Term(MemberShape(), scope) + ")";
    }
    case 5:
      return "glob.match(" +
             std::string(random_.Pick(std::to_array<std::string_view>(
                 {"\"*\"", "\"a*\"", "\"[a-c]\"", "\"{a,foo}\"", "\"?\""}))) +
             ", " +
             std::string(random_.Pick(std::to_array<std::string_view>({"[]", "null", "[\".\"]"}))) +
             ", " + Term(kText, scope) + ")";
    case 6:
      return "object.subset(" + Term(MapOf(kNumber), scope) + ", " + Term(MapOf(kNumber), scope) +
             ")";
    case 7:
      return "strings.any_prefix_match(" + Term(ArrayOf(kText), scope) + ", " +
             Term(SetOf(kText), scope) + ")";
    case 8:
    case 9: {
      const ShapePtr item = MemberShape();
      if (!dialect_.in) {
        return Comparison(scope);
      }
      const std::string member = Term(item, scope);
      const std::string text =
          member + " in " + Term(random_.Chance(50) ? ArrayOf(item) : SetOf(item), scope);
      return '(' + text + ')';
    }
    case 10:
      if (dialect_.version == "v0" && !dialect_.imports.contains("rego")) {
        return std::string(random_.Chance(50) ? "any(" : "all(") +
               Term(ArrayOf(Simple(Kind::kBoolean)), scope) + ")";
      }
      return "json.is_valid(" + Term(kText, scope) + ")";
    default:
      return "regex.is_valid(" + Term(kText, scope) + ")";
  }
}

std::string Generator::NumberCall(Scope& scope) {
  switch (random_.Below(12)) {
    case 0:
    case 1:
      return "count(" + Term(random_.Chance(80) ? AnyCollection() : kText, scope) + ")";
    case 2:
      return std::string(random_.Pick(std::to_array<std::string_view>({"sum", "product"}))) + "(" +
             Term(random_.Chance(50) ? ArrayOf(kNumber) : SetOf(kNumber), scope) + ")";
    case 3:
      return std::string(random_.Pick(std::to_array<std::string_view>({"max", "min"}))) + "(" +
             Term(random_.Chance(50) ? ArrayOf(kNumber) : SetOf(kNumber), scope) + ")";
    case 4:
      return std::string(
                 random_.Pick(std::to_array<std::string_view>({"abs", "round", "ceil", "floor"}))) +
             "(" + Term(kNumber, scope) + ")";
    case 5:
      return "to_number(" +
             (random_.Chance(50) ? Term(kText, scope) : "\"" + RandomNumber(random_) + "\"") + ")";
    case 6:
      return "indexof(" + Term(kText, scope) + ", " + Term(kText, scope) + ")";
    case 7:
      return "object.get(" + Term(MapOf(kNumber), scope) + ", " + Term(kText, scope) + ", " +
             Term(kNumber, scope) + ")";
    case 8:
      return "strings.count(" + Term(kText, scope) + ", " + Term(kText, scope) + ")";
    case 9:
      return "bits.and(" + Term(kNumber, scope) + ", " + std::to_string(random_.Below(8)) + ")";
    case 10:
      return "-" + std::to_string(random_.Below(9));
    default:
      return "units.parse(\"" + std::to_string(random_.Below(9)) +
             std::string(random_.Pick(std::to_array<std::string_view>({"", "k", "Mi", "m"}))) +
             "\")";
  }
}

std::string Generator::StringCall(Scope& scope) {
  switch (random_.Below(16)) {
    case 0:
    case 1: {
      static constexpr auto kFormats =
          std::to_array<std::string_view>({"%v", "%v-%v", "<%s> %v", "%d %v", "%v %q", "%5v|%v",
                                           "%v %%", "%v %T", "%x %v", "%.2f %v", "%v"});
      const std::string_view format = random_.Pick(kFormats);
      const std::string first = Term(MemberShape(), scope);
      return "sprintf(\"" + std::string(format) + "\", [" + first +
             (random_.Chance(75) ? ", " + Term(MemberShape(), scope) : "") + "])";
    }
    case 2:
      return "concat(\"" +
             std::string(random_.Pick(std::to_array<std::string_view>({",", "", "-"}))) + "\", " +
             Term(random_.Chance(50) ? ArrayOf(kText) : SetOf(kText), scope) + ")";
    case 3:
      return std::string(random_.Pick(std::to_array<std::string_view>(
                 {"upper", "lower", "trim_space", "strings.reverse"}))) +
             "(" + Term(kText, scope) + ")";
    case 4:
      return std::string(random_.Pick(std::to_array<std::string_view>(
                 {"trim", "trim_left", "trim_right", "trim_prefix", "trim_suffix"}))) +
             "(" + Term(kText, scope) + ", " + Term(kText, scope) + ")";
    case 5:
      return "replace(" + Term(kText, scope) + ", " + Term(kText, scope) + ", " +
             Term(kText, scope) + ")";
    case 6:
      return "format_int(" + Term(kNumber, scope) + ", " +
             std::string(random_.Pick(std::to_array<std::string_view>({"10", "2", "16"}))) + ")";
    case 7:
      return "json.marshal(" + Term(SmallShape(), scope) + ")";
    case 8:
      return "type_name(" + Term(SmallShape(), scope) + ")";
    case 9:
      return "substring(" + Term(kText, scope) + ", " + std::to_string(random_.Below(3)) + ", " +
             std::to_string(static_cast<int>(random_.Below(4)) - 1) + ")";
    case 10:
      return "object.get(" + Term(MapOf(kText), scope) + ", " + Term(kText, scope) + ", " +
             Term(kText, scope) + ")";
    case 11:
      return std::string(random_.Chance(50) ? "max(" : "min(") + Term(SetOf(kText), scope) + ")";
    case 12:
      return "regex.replace(" + Term(kText, scope) + ", \"[a-b]\", " + Term(kText, scope) + ")";
    case 13:
      return "base64.encode(" + Term(kText, scope) + ")";
    case 14:
      return "strings.replace_n(" + Term(MapOf(kText), scope) + ", " + Term(kText, scope) + ")";
    default:
      return "urlquery.encode(" + Term(kText, scope) + ")";
  }
}

std::string Generator::ArrayCall(const ShapePtr& want, Scope& scope) {
  switch (random_.Below(
      want->item->kind == Kind::kString || want->item->kind == Kind::kNumber ? 8 : 5)) {
    case 0:
      return "array.concat(" + Term(want, scope) + ", " + Term(want, scope) + ")";
    case 1:
      return "array.slice(" + Term(want, scope) + ", " + std::to_string(random_.Below(2)) + ", " +
             std::to_string(random_.Below(4)) + ")";
    case 2:
      return "array.reverse(" + Term(want, scope) + ")";
    case 3:
      return "sort(" + Term(random_.Chance(50) ? want : SetOf(want->item), scope) + ")";
    case 4:
      return Literal(want, scope);
    default:
      if (want->item->kind == Kind::kNumber) {
        return "numbers.range(" + std::to_string(random_.Below(4)) + ", " +
               (random_.Chance(60) ? std::to_string(random_.Below(6)) : Term(kNumber, scope)) + ")";
      }
      return "split(" + Term(kText, scope) + ", \"" +
             std::string(random_.Pick(std::to_array<std::string_view>({"", "-", "o", "."}))) +
             "\")";
  }
}

std::string Generator::SetCall(const ShapePtr& want, Scope& scope) {
  switch (random_.Below(want->item->kind == Kind::kString ? 7 : 6)) {
    case 0:
    case 1:
    case 2:
      return '(' + Term(want, scope) + ' ' +
             std::string(random_.Pick(std::to_array<std::string_view>({"|", "&", "-"}))) + ' ' +
             Term(want, scope) + ')';
    case 3:
      return std::string(random_.Chance(70) ? "union({" : "intersection({") + Term(want, scope) +
             ", " + Term(want, scope) + "})";
    case 4:
    case 5: {
      Scope inner = scope;
      const std::string list = Term(ArrayOf(want->item), inner);
      const std::string name = "e" + std::to_string(names_++);
      return '{' + name + " | " + name + " := " + list + "[_]}";
    }
    default:
      return "object.keys(" + Term(MapOf(MemberShape()), scope) + ")";
  }
}

std::string Generator::MapCall(const ShapePtr& want, Scope& scope) {
  switch (random_.Below(5)) {
    case 0:
      return "object.union(" + Term(want, scope) + ", " + Term(want, scope) + ")";
    case 1:
      return "object.remove(" + Term(want, scope) + ", " + Term(ArrayOf(kText), scope) + ")";
    case 2:
      return "object.filter(" + Term(want, scope) + ", " + Term(SetOf(kText), scope) + ")";
    case 3:
      return "object.union_n([" + Term(want, scope) + ", " + Term(want, scope) + "])";
    default:
      return "json.remove(" + Term(want, scope) + ", [\"" + std::string(RandomKey(random_, *want)) +
             "\"])";
  }
}

}  // namespace portcullis::differential
