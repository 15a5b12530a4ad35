// net.cidr_* and net.lookup_ip_addr. SOURCE: OPA's policy reference, "Net".

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <netdb.h>
#include <sys/socket.h>

#include "rules/builtins/families.h"
#include "rules/builtins/ip.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

std::optional<IpNetwork> ReadNetwork(CallContext& context, const Value& value) {
  if (!value.is_string()) {
    context.FailOperand(1, "string", value);
    return std::nullopt;
  }
  auto network = ParseNetwork(value.string());
  if (!network) {
    context.Fail("invalid CIDR address: " + std::string(value.string()));
  }
  return network;
}

// Whether a network has an address, or all of another network; nothing after a failure.
std::optional<bool> ContainsText(CallContext& context, const Value& outer, const Value& inner) {
  const auto network = ReadNetwork(context, outer);
  if (!network) {
    return std::nullopt;
  }
  if (!inner.is_string()) {
    context.FailOperand(1, "string", inner);
    return std::nullopt;
  }
  if (const auto address = ParseIp(inner.string())) {
    return network->Contains(*address);
  }
  const auto part = ParseNetwork(inner.string());
  if (!part) {
    context.Fail("not a valid textual representation of an IP address or CIDR: " +
                 std::string(inner.string()));
    return std::nullopt;
  }
  // The last address of a wide IPv6 network may look like an IPv4 one.
  if (!network->first.is_v4() && !part->first.is_v4()) {
    return network->prefix <= part->prefix && network->Contains(part->first);
  }
  return network->Contains(part->first) && network->Contains(part->last());
}

Value Contains(CallContext& context, Arguments arguments) {
  const auto contained = ContainsText(context, arguments[0], arguments[1]);
  return contained ? Value::Boolean(*contained) : Value();
}

Value Intersects(CallContext& context, Arguments arguments) {
  const auto a = ReadNetwork(context, arguments[0]);
  const auto b = a ? ReadNetwork(context, arguments[1]) : std::nullopt;
  if (!b) {
    return {};
  }
  return Value::Boolean(a->Contains(b->first) || b->Contains(a->first));
}

// One network of an operand of net.cidr_contains_matches, and what stands for it in the result.
struct Candidate {
  Value network;
  Value name;
};

// How many networks an operand has.
std::uint32_t CandidateCount(const Value& operand) {
  return operand.is_string() ? 1 : operand.size();
}

// REQUIRES: i < CandidateCount(value).
std::optional<Candidate> CandidateAt(CallContext& context, const Value& value, std::uint32_t i,
                                     int operand) {
  if (value.is_string()) {
    return Candidate{value, value};
  }
  const Value item = value.is_object() ? value.ValueAt(i) : value.ItemAt(i);
  const bool named = item.is_array() && item.size() > 0;
  if (!item.is_string() && !named) {
    context.Fail("operand " + std::to_string(operand) +
                 ": element must be string or non-empty array");
    return std::nullopt;
  }
  return Candidate{named ? item.ItemAt(0) : item, value.is_array() ? Value::Int(i)
                                                  : value.is_set() ? item
                                                                   : value.KeyAt(i)};
}

Value ContainsMatches(CallContext& context, Arguments arguments) {
  document::SetBuilder matches(context.arena);
  for (std::uint32_t i = 0; i < CandidateCount(arguments[0]); ++i) {
    const auto a = CandidateAt(context, arguments[0], i, 1);
    if (!a) {
      return {};
    }
    for (std::uint32_t j = 0; j < CandidateCount(arguments[1]); ++j) {
      const auto b = context.ShouldHalt() ? std::nullopt : CandidateAt(context, arguments[1], j, 2);
      const auto contained = b ? ContainsText(context, a->network, b->network) : std::nullopt;
      if (!contained) {
        return {};
      }
      if (!*contained) {
        continue;
      }
      const std::span<Value> pair = context.arena.AllocateArray<Value>(2);
      pair[0] = a->name;
      pair[1] = b->name;
      matches.Add(Value::Array(pair));
    }
  }
  return matches.Finish();
}

Value Expand(CallContext& context, Arguments arguments) {
  const auto network = ReadNetwork(context, arguments[0]);
  if (!network) {
    return {};
  }
  document::SetBuilder addresses(context.arena);
  const IpAddress last = network->last();
  for (IpAddress address = network->first;; address.Increment()) {
    if (context.ShouldHalt()) {
      if (context.clock.Now() >= context.deadline) {
        context.failure_message = "net.cidr_expand: timed out before generating all IP addresses";
      }
      return {};
    }
    if (context.HaltsBeyond(addresses.size() * sizeof(Value))) {
      return {};
    }
    addresses.Add(MakeString(context, address.Text()));
    if (address == last) {
      return addresses.Finish();
    }
  }
}

Value IsValid(CallContext&, Arguments arguments) {
  return Value::Boolean(arguments[0].is_string() &&
                        ParseNetwork(arguments[0].string()).has_value());
}

// ::ffff:0.0.0.0
constexpr std::array<std::uint8_t, 16> kFirstV4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

// A run of addresses; `text` is how a network that was merged with no other was written.
struct Range {
  IpAddress first;
  IpAddress last;
  std::string text;
};

// A network, or an IPv4 address, which stands for the network of its class.
std::optional<Range> ReadRange(CallContext& context, const Value& value) {
  if (!value.is_string()) {
    context.Fail("element must be string");
    return std::nullopt;
  }
  const auto address = ParseIp(value.string());
  if (!address) {
    const auto network = ReadNetwork(context, value);
    if (!network) {
      return std::nullopt;
    }
    return Range{network->first, network->last(), network->Text()};
  }
  if (!address->is_v4()) {
    context.Fail("IPv6 invalid: needs prefix length");
    return std::nullopt;
  }
  const std::uint8_t leading = address->bytes[12];
  const int prefix = leading < 128 ? 8 : leading < 192 ? 16 : 24;
  const IpNetwork network{WithPrefix(*address, prefix + 96), prefix + 96};
  return Range{network.first, network.last(), address->Text() + "/" + std::to_string(prefix)};
}

// The fewest networks that are exactly the range.
void AddNetworks(CallContext& context, const Range& range, document::SetBuilder* networks) {
  IpAddress first = range.first;
  while (first <= range.last) {
    IpNetwork network{first, 128};
    while (network.prefix > 0) {
      const IpNetwork wider{WithPrefix(first, network.prefix - 1), network.prefix - 1};
      if (wider.first != first || wider.last() > range.last) {
        break;
      }
      if (first.is_v4() && wider.prefix < 96) {
        break;
      }
      network = wider;
    }
    networks->Add(MakeString(context, network.Text()));
    first = network.last();
    if (!first.Increment()) {
      return;
    }
  }
}

Value Merge(CallContext& context, Arguments arguments) {
  if (!IsCollection(arguments[0])) {
    return context.Fail("operand must be an array");
  }
  std::vector<Range> ranges;
  for (std::uint32_t i = 0; i < arguments[0].size(); ++i) {
    if (context.ShouldHalt()) {
      return {};
    }
    auto range = ReadRange(context, arguments[0].ItemAt(i));
    if (!range) {
      return {};
    }
    ranges.push_back(*std::move(range));
  }
  std::ranges::sort(ranges, [](const Range& a, const Range& b) {
    return a.last != b.last ? a.last < b.last : a.first < b.first;
  });
  // From the last on, a range takes in those before it that it overlaps or follows at once.
  std::vector<Range> merged;
  for (auto range = ranges.rbegin(); range != ranges.rend(); ++range) {
    IpAddress before;
    if (!merged.empty()) {
      before = merged.back().first;
      if (before != IpAddress{} && before != IpAddress{kFirstV4}) {
        before.Decrement();
      }
    }
    if (!merged.empty() && before <= range->last) {
      merged.back().first = std::min(merged.back().first, range->first);
      merged.back().text.clear();
    } else {
      merged.push_back(std::move(*range));
    }
  }
  document::SetBuilder networks(context.arena);
  for (const Range& range : merged) {
    if (range.text.empty()) {
      AddNetworks(context, range, &networks);
    } else {
      networks.Add(MakeString(context, range.text));
    }
  }
  return networks.Finish();
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

// A look-up that glibc's resolver works at in the background. Stays where it is until that is done with it.
struct Lookup {
  explicit Lookup(std::string text) : name(std::move(text)) {
    hints.ai_socktype = SOCK_STREAM;
    request.ar_name = name.c_str();
    request.ar_request = &hints;
  }
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;
  ~Lookup() { freeaddrinfo(request.ar_result); }

  // False where it is not done within `limit`; null: no limit.
  bool Wait(const timespec* limit) {
    const gaicb* list[] = {&request};
    return gai_suspend(list, 1, limit) != EAI_AGAIN;
  }

  const std::string name;
  addrinfo hints{};
  gaicb request{};
};

// Nothing where the name has no address; the context halts at its deadline.
Addresses Resolve(CallContext& context, std::string name) {
  auto lookup = std::make_unique<Lookup>(std::move(name));
  gaicb* list[] = {&lookup->request};
  if (getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr) != 0) {
    return nullptr;
  }
  // In steps: a signal ends a wait early.
  while (gai_error(&lookup->request) == EAI_INPROGRESS) {
    const timespec step{0, 20'000'000};
    lookup->Wait(&step);
    const bool late = context.deadline != std::chrono::steady_clock::time_point::max() &&
                      context.clock.Now() >= context.deadline;
    if (!late) {
      continue;
    }
    context.failure = FailureKind::kHalt;
    context.failure_message = "caller cancelled query execution";
    if (gai_cancel(&lookup->request) == EAI_NOTCANCELED) {
      // The resolver's thread has begun and still writes there; the resolver has twenty threads at most.
      std::thread([left = std::move(lookup)] {
        while (gai_error(&left->request) == EAI_INPROGRESS) {
          left->Wait(nullptr);
        }
      }).detach();
    }
    return nullptr;
  }
  return gai_error(&lookup->request) == 0
             ? Addresses(std::exchange(lookup->request.ar_result, nullptr))
             : nullptr;
}

Value LookUp(CallContext& context, Arguments arguments) {
  const auto name = StringOperand(context, arguments, 1);
  if (!name) {
    return {};
  }
  document::SetBuilder addresses(context.arena);
  if (const auto literal = ParseIp(*name)) {
    addresses.Add(MakeString(context, literal->Text()));
    return addresses.Finish();
  }
  const auto found = Resolve(context, std::string(*name));
  if (!found) {
    return context.failure == FailureKind::kHalt
               ? Value()
               : context.Fail("lookup " + std::string(*name) + ": no such host");
  }
  for (const addrinfo* info = found.get(); info != nullptr; info = info->ai_next) {
    IpAddress address;
    if (info->ai_family == AF_INET) {
      sockaddr_in v4{};
      std::memcpy(&v4, info->ai_addr, sizeof v4);
      address.bytes[10] = address.bytes[11] = 0xFF;
      std::memcpy(address.bytes.data() + 12, &v4.sin_addr, 4);
    } else if (info->ai_family == AF_INET6) {
      sockaddr_in6 v6{};
      std::memcpy(&v6, info->ai_addr, sizeof v6);
      std::memcpy(address.bytes.data(), &v6.sin6_addr, 16);
    } else {
      continue;
    }
    addresses.Add(MakeString(context, address.Text()));
  }
  return addresses.Finish();
}

constexpr std::string_view kMatchesType =
    "(string | array[string | array[any]] | object[string: string | array[any]] | set[string | "
    "array[any]], "
    "string | array[string | array[any]] | object[string: string | array[any]] | set[string | "
    "array[any]]) -> "
    "set[[any, any]]";
constexpr Builtin kBuiltins[] = {
    {.name = "net.cidr_contains", .type = "(string, string) -> boolean", .function = Contains},
    {.name = "net.cidr_overlap",
     .type = "(string, string) -> boolean",
     .function = Contains,
     .deprecated = true},
    {.name = "net.cidr_intersects", .type = "(string, string) -> boolean", .function = Intersects},
    {.name = "net.cidr_contains_matches", .type = kMatchesType, .function = ContainsMatches},
    {.name = "net.cidr_expand", .type = "(string) -> set[string]", .function = Expand},
    {.name = "net.cidr_is_valid", .type = "(string) -> boolean", .function = IsValid},
    {.name = "net.cidr_merge",
     .type = "(array[any<string>] | set[string]) -> set[string]",
     .function = Merge},
    {.name = "net.lookup_ip_addr",
     .type = "(string) -> set[string]",
     .function = LookUp,
     .nondeterministic = true},
};

}  // namespace

std::span<const Builtin> NetBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
