// rand.intn, uuid.*, opa.runtime and time.now_ns: what is the same throughout one query but not in the next, and uuid.parse.

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "rules/builtins/codec.h"
#include "rules/builtins/families.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

// SplitMix64: well mixed 64 bits from any 64 bits. SOURCE: Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", 2014.
std::uint64_t Mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

// The same for the same query and `key`.
std::uint64_t Draw(const CallContext& context, const Value& key, std::uint64_t salt) {
  return Mix(Mix(context.seed ^ document::Hash(key)) + salt);
}

Value RandomBelow(CallContext& context, Arguments arguments) {
  if (!StringOperand(context, arguments, 1)) {
    return {};
  }
  const auto limit = IntOperand(context, arguments, 2);
  if (!limit) {
    return {};
  }
  if (*limit == 0) {
    return Value::Int(0);
  }
  const auto bound =
      *limit < 0 ? 0 - static_cast<std::uint64_t>(*limit) : static_cast<std::uint64_t>(*limit);
  return Value::Int(static_cast<std::int64_t>(Draw(context, arguments[0], bound) % bound));
}

using Uuid = std::array<std::uint8_t, 16>;

std::string UuidText(const Uuid& uuid) {
  std::string text = EncodeHex({reinterpret_cast<const char*>(uuid.data()), uuid.size()});
  for (const std::size_t at : {20U, 16U, 12U, 8U}) {
    text.insert(at, "-");
  }
  return text;
}

Value NewUuid(CallContext& context, Arguments arguments) {
  Uuid uuid{};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::uint64_t bits = Draw(context, arguments[0], i);
    for (std::size_t j = 0; j < 8; ++j) {
      uuid[8 * i + j] = static_cast<std::uint8_t>(bits >> (8 * j));
    }
  }
  uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0F) | 0x40);
  uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3F) | 0x80);
  return MakeString(context, UuidText(uuid));
}

// With or without dashes, in braces, or as "urn:uuid:…".
std::optional<Uuid> ParseUuid(std::string_view text) {
  constexpr std::string_view kUrn = "urn:uuid:";
  if (text.size() == 36 + kUrn.size()) {
    const bool urn = std::ranges::equal(text.substr(0, kUrn.size()), kUrn, [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
    });
    if (!urn) {
      return std::nullopt;
    }
    text.remove_prefix(kUrn.size());
  } else if (text.size() == 38) {
    text = text.substr(1, 36);
  }
  std::string digits(text);
  if (text.size() == 36) {
    for (const std::size_t at : {23U, 18U, 13U, 8U}) {
      if (digits[at] != '-') {
        return std::nullopt;
      }
      digits.erase(at, 1);
    }
  }
  const auto bytes = DecodeHex(digits);
  if (digits.size() != 32 || !bytes) {
    return std::nullopt;
  }
  Uuid uuid{};
  std::ranges::copy(*bytes, uuid.begin());
  return uuid;
}

std::string_view VariantName(std::uint8_t byte) {
  if ((byte & 0xC0) == 0x80) {
    return "RFC4122";
  }
  if ((byte & 0xE0) == 0xC0) {
    return "Microsoft";
  }
  if ((byte & 0xE0) == 0xE0) {
    return "Future";
  }
  return "Reserved";
}

std::string DomainName(std::uint8_t domain) {
  constexpr std::array kNames = {"Person", "Group", "Org"};
  return domain < kNames.size() ? kNames[domain] : "Domain" + std::to_string(domain);
}

std::uint64_t BigEndian(const Uuid& uuid, std::size_t begin, std::size_t end) {
  std::uint64_t value = 0;
  for (std::size_t i = begin; i < end; ++i) {
    value = value << 8 | uuid[i];
  }
  return value;
}

Value DescribeUuid(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  const auto uuid = text ? ParseUuid(*text) : std::nullopt;
  if (!uuid) {
    return {};
  }
  document::ObjectBuilder object(context.arena);
  const int version = (*uuid)[6] >> 4;
  object.Add("version", Value::Int(version));
  object.Add("variant", Value::String(VariantName((*uuid)[8])));
  if (version == 1 || version == 2) {
    // Ticks of 100 ns since 15 October 1582.
    constexpr std::int64_t kUnixEpoch = 122192928000000000;
    const auto ticks =
        static_cast<std::int64_t>(BigEndian(*uuid, 0, 4) | BigEndian(*uuid, 4, 6) << 32 |
                                  (BigEndian(*uuid, 6, 8) & 0x0FFF) << 48);
    object.Add("time", Value::Int(static_cast<std::int64_t>(
                           static_cast<std::uint64_t>(ticks - kUnixEpoch) * 100)));
    std::string node = EncodeHex({reinterpret_cast<const char*>(uuid->data()) + 10, 6});
    for (const std::size_t at : {10U, 8U, 6U, 4U, 2U}) {
      node.insert(at, "-");
    }
    object.Add("nodeid", MakeString(context, node));
    constexpr std::array<std::string_view, 4> kMacKinds = {"global:unicast", "global:multicast",
                                                           "local:unicast", "local:multicast"};
    object.Add("macvariables", Value::String(kMacKinds[(*uuid)[10] & 3]));
    object.Add("clocksequence",
               Value::Int(static_cast<std::int64_t>(BigEndian(*uuid, 8, 10) & 0x3FFF)));
    if (version == 2) {
      object.Add("id", Value::Int(static_cast<std::int64_t>(BigEndian(*uuid, 0, 4))));
      object.Add("domain", MakeString(context, DomainName((*uuid)[9])));
    }
  }
  return object.Finish();
}

Value Runtime(CallContext&, Arguments) {
  return Value::Object({});
}
Value Now(CallContext& context, Arguments) {
  return Value::Int(context.query_time_ns);
}

constexpr Builtin kBuiltins[] = {
    {.name = "rand.intn",
     .type = "(string, number) -> number",
     .function = RandomBelow,
     .nondeterministic = true},
    {.name = "uuid.rfc4122",
     .type = "(string) -> string",
     .function = NewUuid,
     .nondeterministic = true},
    {.name = "uuid.parse", .type = "(string) -> object[string: any]", .function = DescribeUuid},
    {.name = "opa.runtime",
     .type = "() -> object[string: any]",
     .function = Runtime,
     .nondeterministic = true},
    {.name = "time.now_ns", .type = "() -> number", .function = Now, .nondeterministic = true},
};

}  // namespace

std::span<const Builtin> RandomBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
