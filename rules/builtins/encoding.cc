// base64, base64url, hex and urlquery. SOURCE: OPA's policy reference, "Encoding".

#include <algorithm>
#include <string>
#include <vector>

#include "document/json.h"
#include "rules/builtins/codec.h"
#include "rules/builtins/families.h"
#include "rules/builtins/go_format.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

template <Base64 alphabet, Padding padding>
Value Encode(CallContext& context, Arguments arguments) {
  const auto bytes = StringOperand(context, arguments, 1);
  if (!bytes) {
    return {};
  }
  return MakeString(context, EncodeBase64(*bytes, alphabet, padding));
}

Value Decode(CallContext& context, std::string_view text, Base64 alphabet) {
  const auto bytes = DecodeBase64(text, alphabet, Padding::kRequired);
  if (!bytes) {
    return context.Fail("illegal base64 data at input byte " + std::to_string(bytes.error()));
  }
  return MakeString(context, *bytes);
}

Value DecodeStandard(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  return Decode(context, *text, Base64::kStandard);
}

// Where the padding was left out it is put back: RFC 7515, appendix C.
Value DecodeUrl(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  std::string padded(*text);
  if (!text->ends_with('=')) {
    if (text->size() % 4 == 1) {
      return context.Fail("illegal base64url string: " + padded);
    }
    padded.append((4 - text->size() % 4) % 4, '=');
  }
  return Decode(context, padded, Base64::kUrl);
}

Value IsBase64(CallContext&, Arguments arguments) {
  if (!arguments[0].is_string()) {
    return Value::Boolean(false);
  }
  return Value::Boolean(
      DecodeBase64(arguments[0].string(), Base64::kStandard, Padding::kRequired).has_value());
}

Value ToHex(CallContext& context, Arguments arguments) {
  const auto bytes = StringOperand(context, arguments, 1);
  if (!bytes) {
    return {};
  }
  return MakeString(context, EncodeHex(*bytes));
}

Value FromHex(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  const auto bytes = DecodeHex(*text);
  if (!bytes) {
    return context.Fail(bytes.error());
  }
  return MakeString(context, *bytes);
}

Value ToQuery(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  return MakeString(context, EscapeQuery(*text));
}

Value FromQuery(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  const auto plain = UnescapeQuery(*text);
  if (!plain) {
    return context.Fail(plain.error());
  }
  return MakeString(context, *plain);
}

Value ObjectToQuery(CallContext& context, Arguments arguments) {
  if (!ObjectOperand(context, arguments, 1)) {
    return {};
  }
  const Value& object = arguments[0];
  std::string query;
  for (std::uint32_t i = 0; i < object.size(); ++i) {
    const Value key = object.KeyAt(i);
    const Value value = object.ValueAt(i);
    const std::string name =
        EscapeQuery(key.is_string() ? std::string(key.string()) : document::ToJson(key));
    const std::uint32_t count = value.is_string() ? 1 : value.size();
    if (!value.is_string() && !IsCollection(value)) {
      return context.FailType("operand 1 values must be string, array[string], or set[string]");
    }
    for (std::uint32_t j = 0; j < count; ++j) {
      const Value item = value.is_string() ? value : value.ItemAt(j);
      if (!item.is_string()) {
        return context.FailType("operand 1 values must be string, array[string], or set[string]");
      }
      if (!query.empty()) {
        query.push_back('&');
      }
      query.append(name).append("=").append(EscapeQuery(item.string()));
    }
  }
  return MakeString(context, query);
}

Value QueryToObject(CallContext& context, Arguments arguments) {
  const auto query = StringOperand(context, arguments, 1);
  if (!query) {
    return {};
  }
  document::ObjectBuilder object(context.arena);
  std::string_view rest = *query;
  struct Pair {
    Value key;
    Value value;
  };
  std::vector<Pair> pairs;
  while (!rest.empty()) {
    if (context.ShouldHalt()) {
      return {};
    }
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.contains(';')) {
      return context.Fail("invalid semicolon separator in query");
    }
    if (part.empty()) {
      continue;
    }
    const std::size_t equals = std::min(part.find('='), part.size());
    const auto key = UnescapeQuery(part.substr(0, equals));
    if (!key) {
      return context.Fail(key.error());
    }
    const auto value = UnescapeQuery(part.substr(std::min(equals + 1, part.size())));
    if (!value) {
      return context.Fail(value.error());
    }
    pairs.push_back({MakeString(context, *key), MakeString(context, *value)});
  }
  std::ranges::stable_sort(pairs, {}, [](const Pair& pair) { return pair.key.string(); });
  for (std::size_t i = 0; i < pairs.size();) {
    const Value key = pairs[i].key;
    document::ArrayBuilder values(context.arena);
    for (; i < pairs.size() && pairs[i].key.string() == key.string(); ++i) {
      values.Add(pairs[i].value);
    }
    object.Add(key, values.Finish());
  }
  return object.Finish();
}

constexpr std::string_view kType = "(string) -> string";
constexpr std::string_view kTestType = "(string) -> boolean";
constexpr Builtin kBuiltins[] = {
    {.name = "base64.encode",
     .type = kType,
     .function = Encode<Base64::kStandard, Padding::kRequired>},
    {.name = "base64.decode", .type = kType, .function = DecodeStandard},
    {.name = "base64.is_valid", .type = kTestType, .function = IsBase64},
    {.name = "base64url.encode",
     .type = kType,
     .function = Encode<Base64::kUrl, Padding::kRequired>},
    {.name = "base64url.encode_no_pad",
     .type = kType,
     .function = Encode<Base64::kUrl, Padding::kNone>},
    {.name = "base64url.decode", .type = kType, .function = DecodeUrl},
    {.name = "hex.encode", .type = kType, .function = ToHex},
    {.name = "hex.decode", .type = kType, .function = FromHex},
    {.name = "urlquery.encode", .type = kType, .function = ToQuery},
    {.name = "urlquery.decode", .type = kType, .function = FromQuery},
    {.name = "urlquery.encode_object",
     .type = "(object[string: string | array[string] | set[string]]) -> string",
     .function = ObjectToQuery},
    {.name = "urlquery.decode_object",
     .type = "(string) -> object[string: array[string]]",
     .function = QueryToObject},
};

}  // namespace

std::span<const Builtin> EncodingBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
