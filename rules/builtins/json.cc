// json.marshal, unmarshal and is_valid. SOURCE: OPA's policy reference, "Encoding".

#include "document/json.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "document/json_complaint.h"
#include "document/walk_guard.h"
#include "rules/builtins/families.h"
#include "rules/builtins/json_number.h"
#include "rules/builtins/number.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

using document::JsonStyle;

constexpr std::uint32_t kMaxDepth = 10000;

document::ParseOptions AsGoReads() {
  return {.duplicates = document::DuplicateKeys::kKeepLast, .max_depth = kMaxDepth};
}

// to_number keeps "+1", "01", ".5" and "5.", which are no numbers of JSON. REQUIRES: a text that it takes.
bool IsJsonSpelling(std::string_view text) {
  const auto is_digit = [&](std::size_t i) {
    return i < text.size() && text[i] >= '0' && text[i] <= '9';
  };
  text.remove_prefix(text.starts_with('-') ? 1 : 0);
  const std::size_t point = text.find('.');
  return is_digit(0) && !(text[0] == '0' && is_digit(1)) &&
         (point == std::string_view::npos || is_digit(point + 1));
}

// The first number that JSON cannot spell; undefined: there is none, or the call must halt.
Value FindMisspelt(CallContext& context, const Value& value) {
  if (value.is_number()) {
    return value.is_decimal() && !IsJsonSpelling(value.decimal_text()) ? value : Value();
  }
  const bool is_object = value.is_object();
  std::uint32_t size = is_object || value.is_array() || value.is_set() ? value.size() : 0;
  size = document::MayWalk(size) && !context.ShouldHalt(size) ? size : 0;
  for (std::uint32_t i = 0; i < size; ++i) {
    if (is_object) {
      if (const Value found = FindMisspelt(context, value.KeyAt(i)); found.is_defined()) {
        return found;
      }
    }
    const Value found = FindMisspelt(context, is_object ? value.ValueAt(i) : value.ItemAt(i));
    if (found.is_defined() || context.failure == FailureKind::kHalt) {
      return found;
    }
  }
  return {};
}

Value Marshal(CallContext& context, Arguments arguments) {
  if (context.HaltsOnText(arguments[0])) {
    return {};
  }
  if (const auto fault = NumberFault(context, arguments[0])) {
    return context.Fail(*fault);
  }
  return MakeString(context, document::ToJson(arguments[0], JsonStyle::kGo));
}

// Compact JSON text on lines of its own, each begun with `prefix` and `indent` once a level. Ends early beyond `limit_bytes`.
std::string Indent(std::string_view json, std::string_view prefix, std::string_view indent,
                   std::size_t limit_bytes) {
  std::string out(prefix);
  std::size_t depth = 0;
  bool in_string = false;
  const auto new_line = [&] {
    out.append("\n").append(prefix);
    for (std::size_t i = 0; i < depth && out.size() <= limit_bytes; ++i) {
      out.append(indent);
    }
  };
  for (std::size_t i = 0; i < json.size() && out.size() <= limit_bytes; ++i) {
    const char c = json[i];
    if (in_string) {
      out.push_back(c);
      if (c == '\\') {
        out.push_back(json[++i]);
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    const bool opens = c == '{' || c == '[';
    if (opens && (json[i + 1] == '}' || json[i + 1] == ']')) {
      out.push_back(c);
      out.push_back(json[++i]);
    } else if (opens) {
      ++depth;
      out.push_back(c);
      new_line();
    } else if (c == '}' || c == ']') {
      --depth;
      new_line();
      out.push_back(c);
    } else if (c == ',') {
      out.push_back(c);
      new_line();
    } else if (c == ':') {
      out.append(": ");
    } else {
      in_string = c == '"';
      out.push_back(c);
    }
  }
  return out;
}

Value MarshalWithOptions(CallContext& context, Arguments arguments) {
  if (!ObjectOperand(context, arguments, 2)) {
    return {};
  }
  const Value& options = arguments[1];
  std::string_view prefix;
  std::string_view indent = "\t";
  std::optional<bool> pretty;
  bool implied = false;
  for (std::uint32_t i = 0; i < options.size(); ++i) {
    const Value key = options.KeyAt(i);
    const Value value = options.ValueAt(i);
    const std::string_view name = key.is_string() ? key.string() : std::string_view();
    if (name == "prefix" || name == "indent") {
      if (!value.is_string()) {
        return context.FailType("operand 2 key " + document::ToRego(key) +
                                " failed cast to string: operand " + std::to_string(i) +
                                " must be string but got " + std::string(TypeName(value)));
      }
      (name == "prefix" ? prefix : indent) = value.string();
      implied = true;
    } else if (name == "pretty") {
      if (!value.is_boolean()) {
        return context.FailType("operand 2 key \"pretty\" failed cast to bool");
      }
      pretty = value.is_true();
    } else {
      return context.FailType("operand 2 object contained unknown key " + document::ToRego(key));
    }
  }
  if (context.HaltsOnText(arguments[0])) {
    return {};
  }
  if (const auto fault = NumberFault(context, arguments[0])) {
    return context.Fail(*fault);
  }
  const std::string json = document::ToJson(arguments[0], JsonStyle::kGo);
  if (!pretty.value_or(implied)) {
    return MakeString(context, json);
  }
  if (document::WalksHaveEnded()) {
    return {};  // It may not be all of it.
  }
  const std::string indented = Indent(json, prefix, indent, context.arena.limit_bytes());
  if (context.HaltsBeyond(indented.size())) {
    return {};
  }
  return MakeString(context, indented);
}

// Whether an exponent of many digits stands anywhere in `json`, perhaps within a string.
bool MayHaveHugeNumber(std::string_view json) {
  for (std::size_t at = json.find_first_of("eE"); at != json.npos;
       at = json.find_first_of("eE", at + 1)) {
    const std::size_t digits =
        at + 1 < json.size() && (json[at + 1] == '+' || json[at + 1] == '-') ? at + 2 : at + 1;
    const std::string_view rest = json.substr(std::min(digits, json.size()));
    if (std::min(rest.find_first_not_of("0123456789"), rest.size()) >= 5) {
      return true;
    }
  }
  return false;
}

bool HasHugeNumber(const Value& value) {
  if (value.is_number()) {
    return !IsEvaluable(value);
  }
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    if (HasHugeNumber(value.is_object() ? value.ValueAt(i) : value.ItemAt(i))) {
      return true;
    }
  }
  return false;
}

// How Go names one of a stream's values in "%s".
std::string TokenText(const Value& value) {
  return value.is_string()    ? std::string(value.string())
         : value.is_boolean() ? "%!s(bool=" + document::ToJson(value) + ")"
                              : document::ToJson(value);
}

// The value of a text that has more than one, or what OPA says of it: it reads the first, and looks what the next one begins
// with, where a null is nothing.
Result<Value> FirstOfSeveral(CallContext& context, std::string_view text) {
  constexpr std::string_view kAfter = " after top-level value";
  std::size_t end = 0;
  std::string complaint = document::JsonComplaint(text, kMaxDepth, &end);
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t next = text.find_first_not_of(kSpaces, end);
  if (!complaint.ends_with(kAfter) || next == text.npos) {
    return Fail(ErrorCode::kInvalidArgument, std::move(complaint));
  }
  const std::string_view rest = text.substr(next);
  if (rest.front() == '{' || rest.front() == '[') {
    return Fail(ErrorCode::kInvalidArgument, std::string("error: invalid character '") +
                                                 rest.front() + "'" + std::string(kAfter));
  }
  std::size_t token_end = 0;
  complaint = document::JsonComplaint(rest, kMaxDepth, &token_end);
  if (!complaint.empty() && !complaint.ends_with(kAfter)) {
    return Fail(ErrorCode::kInvalidArgument, std::move(complaint));
  }
  const Value token =
      TRY(document::ParseJson(rest.substr(0, token_end), context.arena, AsGoReads()));
  if (!token.is_null()) {
    return Fail(ErrorCode::kInvalidArgument,
                "error: invalid character '" + TokenText(token) + "'" + std::string(kAfter));
  }
  return document::ParseJson(text.substr(0, end), context.arena, AsGoReads());
}

Value Unmarshal(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  if (text->find_first_not_of(" \t\r\n") == text->npos) {
    return context.Fail("EOF");
  }
  auto value = document::ParseJson(*text, context.arena, AsGoReads());
  if (!value) {
    value = FirstOfSeveral(context, *text);
  }
  if (!value) {
    // A stream that breaks off.
    return context.Fail(value.error().message == "unexpected end of JSON input"
                            ? "unexpected EOF"
                            : value.error().message);
  }
  if (MayHaveHugeNumber(*text) && HasHugeNumber(*value)) {
    return context.Fail("invalid number: number too big");
  }
  return *value;
}

Value IsValid(CallContext& context, Arguments arguments) {
  if (!arguments[0].is_string()) {
    return Value::Boolean(false);
  }
  return Value::Boolean(
      document::ParseJson(arguments[0].string(), context.arena, AsGoReads()).has_value());
}

constexpr Builtin kBuiltins[] = {
    {.name = "json.marshal", .type = "(any) -> string", .function = Marshal},
    {.name = "json.marshal_with_options",
     .type =
         R"((any, {"indent": string, "prefix": string, "pretty": boolean, string: any}) -> string)",
     .function = MarshalWithOptions},
    {.name = "json.unmarshal", .type = "(string) -> any", .function = Unmarshal},
    {.name = "json.is_valid", .type = "(string) -> boolean", .function = IsValid},
};

}  // namespace

std::optional<std::string> NumberFault(CallContext& context, const Value& value) {
  const Value number = FindMisspelt(context, value);
  return number.is_defined()
             ? std::optional("json: invalid number literal \"" + document::NumberText(number) + '"')
             : std::nullopt;
}

std::span<const Builtin> JsonBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
