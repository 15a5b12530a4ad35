// time.*. SOURCE: OPA's policy reference, "Time"; rego.md 7.6.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <absl/time/time.h>

#include "rules/builtins/families.h"
#include "rules/builtins/go_layout.h"
#include "rules/builtins/go_time.h"
#include "rules/builtins/number.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/prepared_cache.h"

namespace portcullis::builtins {
namespace {

constexpr std::int64_t kSecond = 1000000000;
constexpr std::string_view kRfc3339 = "2006-01-02T15:04:05Z07:00";
constexpr std::string_view kRfc3339Nano = "2006-01-02T15:04:05.999999999Z07:00";

std::string_view LayoutByName(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kLayouts[] = {
      {"ANSIC", "Mon Jan _2 15:04:05 2006"},
      {"UnixDate", "Mon Jan _2 15:04:05 MST 2006"},
      {"RubyDate", "Mon Jan 02 15:04:05 -0700 2006"},
      {"RFC822", "02 Jan 06 15:04 MST"},
      {"RFC822Z", "02 Jan 06 15:04 -0700"},
      {"RFC850", "Monday, 02-Jan-06 15:04:05 MST"},
      {"RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"},
      {"RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"},
      {"RFC3339", kRfc3339},
      {"RFC3339Nano", kRfc3339Nano},
  };
  const auto found =
      std::ranges::find(kLayouts, name, &std::pair<std::string_view, std::string_view>::first);
  return found == std::end(kLayouts) ? name : found->second;
}

// The offset of a time zone from UTC, in seconds, and its name at a moment.
struct Offset {
  std::int64_t seconds = 0;
  std::string name = "UTC";
};

// A time zone; UTC where it is not set.
class Zone {
 public:
  Zone() = default;
  explicit Zone(absl::TimeZone zone) : zone_(zone) {}

  [[nodiscard]] Offset At(std::int64_t unix_seconds) const {
    if (!zone_) {
      return {};
    }
    const absl::TimeZone::CivilInfo info = zone_->At(absl::FromUnixSeconds(unix_seconds));
    return {info.offset, info.zone_abbr};
  }
  // When a clock there shows `local`; where it does so twice or never, as Go takes it.
  [[nodiscard]] std::int64_t FromLocal(std::int64_t local) const {
    return local - At(local - At(local).seconds).seconds;
  }

 private:
  std::optional<absl::TimeZone> zone_;
};

// The zone that a file of the tz database describes. Only names of such files reach the library, which keeps every name.
std::shared_ptr<const Zone> LoadZone(std::string_view name) {
  if (name == "Local") {
    return std::make_shared<const Zone>(absl::LocalTimeZone());
  }
  std::error_code error;
  absl::TimeZone zone;
  const bool found = !name.contains('\0') &&
                     std::filesystem::is_regular_file(
                         std::filesystem::path("/usr/share/zoneinfo") / std::string(name), error) &&
                     absl::LoadTimeZone(std::string(name), &zone);
  return found ? std::make_shared<const Zone>(zone) : nullptr;
}

// The zone of an IANA name; fails through `context`.
std::optional<Zone> FindZone(CallContext& context, std::string_view name) {
  if (name.empty() || name == "UTC") {
    return Zone{};
  }
  if (name.contains("..") || name.front() == '/' || name.front() == '\\') {
    context.Fail("time: invalid location name");
    return std::nullopt;
  }
  const auto found = context.prepared.Get<Zone>("zone", name, [&] { return LoadZone(name); });
  if (found) {
    return *found;
  }
  context.Fail("unknown time zone " + std::string(name));
  return std::nullopt;
}

// The operand of most functions here: ns, [ns, zone] or [ns, zone, layout].
struct Moment {
  std::int64_t unix_seconds = 0;
  int nanosecond = 0;
  Zone zone;
  std::string_view layout;

  [[nodiscard]] CivilTime Civil() const {
    Offset offset = zone.At(unix_seconds);
    return ToCivil(unix_seconds, nanosecond, static_cast<int>(offset.seconds),
                   std::move(offset.name));
  }
};

std::optional<std::int64_t> Nanoseconds(CallContext& context, const Value& number) {
  if (!number.is_number()) {
    context.FailOperand(1, "number", number);
    return std::nullopt;
  }
  if (number.is_int()) {
    return number.integer();
  }
  const auto exact = ToBigFloat(number);
  if (exact && mpfr_integer_p(exact->get()) != 0 &&
      mpfr_fits_slong_p(exact->get(), MPFR_RNDZ) != 0) {
    return mpfr_get_si(exact->get(), MPFR_RNDZ);
  }
  context.Fail("timestamp too big");
  return std::nullopt;
}

std::optional<std::string_view> StringAt(CallContext& context, const Value& array,
                                         std::uint32_t place) {
  const Value item = array.ItemAt(place);
  if (!item.is_string()) {
    context.FailOperand(1, "string", item);
    return std::nullopt;
  }
  return item.string();
}

std::optional<Moment> MomentOperand(CallContext& context, const Value& value) {
  Moment moment;
  Value number = value;
  if (value.is_array() && value.size() > 0) {
    number = value.ItemAt(0);
    if (!number.is_number()) {
      context.FailOperand(1, "number", number);
      return std::nullopt;
    }
    if (value.size() > 1) {
      const auto name = StringAt(context, value, 1);
      const auto zone = name ? FindZone(context, *name) : std::nullopt;
      if (!zone) {
        return std::nullopt;
      }
      moment.zone = *zone;
    }
    if (value.size() > 2) {
      const auto layout = StringAt(context, value, 2);
      if (!layout) {
        return std::nullopt;
      }
      moment.layout = *layout;
    }
  } else if (!value.is_number()) {
    context.FailOperand(1, "either number (ns) or [number (ns), string (tz)]", value);
    return std::nullopt;
  }
  const auto nanoseconds = Nanoseconds(context, number);
  if (!nanoseconds) {
    return std::nullopt;
  }
  moment.unix_seconds = *nanoseconds / kSecond - (*nanoseconds % kSecond < 0 ? 1 : 0);
  moment.nanosecond = static_cast<int>((*nanoseconds % kSecond + kSecond) % kSecond);
  return moment;
}

Value ToNanoseconds(CallContext& context, const Instant& instant) {
  std::int64_t nanoseconds = 0;
  // The seconds round down, so the first second that fits in part needs its own sum.
  const bool before = instant.unix_seconds < 0;
  if (__builtin_mul_overflow(instant.unix_seconds + (before ? 1 : 0), kSecond, &nanoseconds) ||
      __builtin_add_overflow(nanoseconds, instant.nanosecond - (before ? kSecond : 0),
                             &nanoseconds)) {
    return context.Fail("time outside of valid range");
  }
  return Value::Int(nanoseconds);
}

Value ParseWith(CallContext& context, std::string_view layout, std::string_view text) {
  const auto instant = ParseTime(layout, text);
  if (!instant) {
    return context.Fail(instant.error());
  }
  return ToNanoseconds(context, *instant);
}

Value ParseNs(CallContext& context, Arguments arguments) {
  const auto layout = StringOperand(context, arguments, 1);
  const auto text = layout ? StringOperand(context, arguments, 2) : std::nullopt;
  if (!text) {
    return {};
  }
  return ParseWith(context, LayoutByName(*layout), *text);
}

Value ParseRfc3339(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  return ParseWith(context, kRfc3339, *text);
}

Value ParseDurationNs(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  const auto duration = ParseDuration(*text);
  if (!duration) {
    return context.Fail(duration.error());
  }
  return Value::Int(*duration);
}

Value Format(CallContext& context, Arguments arguments) {
  const auto moment = MomentOperand(context, arguments[0]);
  if (!moment) {
    return {};
  }
  const std::string_view layout =
      moment->layout.empty() ? kRfc3339Nano : LayoutByName(moment->layout);
  return MakeString(context, FormatTime(moment->Civil(), layout));
}

Value MakeNumbers(CallContext& context, std::initializer_list<std::int64_t> numbers) {
  const std::span<Value> items = context.arena.AllocateArray<Value>(numbers.size());
  std::ranges::transform(numbers, items.begin(), Value::Int);
  return Value::Array(items);
}

Value Date(CallContext& context, Arguments arguments) {
  const auto moment = MomentOperand(context, arguments[0]);
  if (!moment) {
    return {};
  }
  const CivilTime time = moment->Civil();
  return MakeNumbers(context, {time.year, time.month, time.day});
}

Value ClockOf(CallContext& context, Arguments arguments) {
  const auto moment = MomentOperand(context, arguments[0]);
  if (!moment) {
    return {};
  }
  const CivilTime time = moment->Civil();
  return MakeNumbers(context, {time.hour, time.minute, time.second});
}

Value Weekday(CallContext& context, Arguments arguments) {
  const auto moment = MomentOperand(context, arguments[0]);
  if (!moment) {
    return {};
  }
  return Value::String(kWeekdayNames[static_cast<std::size_t>(moment->Civil().weekday)]);
}

Value AddDate(CallContext& context, Arguments arguments) {
  const auto moment = MomentOperand(context, arguments[0]);
  const auto years = moment ? IntOperand(context, arguments, 2) : std::nullopt;
  const auto months = years ? IntOperand(context, arguments, 3) : std::nullopt;
  const auto days = months ? IntOperand(context, arguments, 4) : std::nullopt;
  if (!days) {
    return {};
  }
  constexpr std::int64_t kFar =
      10000000;  // Days, and more of anything else, that no int64 of nanoseconds spans.
  if (std::max({std::abs(*years), std::abs(*months), std::abs(*days)}) > kFar) {
    return context.Fail("time outside of valid range");
  }
  const CivilTime time = moment->Civil();
  const std::int64_t day_number =
      DaysFromCivil(time.year + *years, time.month + *months, time.day + *days);
  const std::int64_t local = day_number * 86400 + time.hour * 3600 + time.minute * 60 + time.second;
  return ToNanoseconds(context, {moment->zone.FromLocal(local), moment->nanosecond});
}

// Years, months, days, hours, minutes and seconds between two moments, by the calendar of the first one's zone.
Value Diff(CallContext& context, Arguments arguments) {
  const auto a = MomentOperand(context, arguments[0]);
  auto b = a ? MomentOperand(context, arguments[1]) : std::nullopt;
  if (!b) {
    return {};
  }
  b->zone = a->zone;
  const bool swap =
      std::pair(a->unix_seconds, a->nanosecond) > std::pair(b->unix_seconds, b->nanosecond);
  const CivilTime from = (swap ? *b : *a).Civil();
  const CivilTime to = (swap ? *a : *b).Civil();
  std::int64_t units[] = {to.year - from.year, to.month - from.month,   to.day - from.day,
                          to.hour - from.hour, to.minute - from.minute, to.second - from.second};
  const std::int64_t days_in_month =
      DaysFromCivil(from.year, from.month + 1, 1) - DaysFromCivil(from.year, from.month, 1);
  const std::int64_t sizes[] = {0, 12, days_in_month, 24, 60, 60};
  for (std::size_t i = 5; i > 0; --i) {
    if (units[i] >= 0) {
      continue;
    }
    units[i] += sizes[i];
    --units[i - 1];
  }
  return MakeNumbers(context, {units[0], units[1], units[2], units[3], units[4], units[5]});
}

constexpr std::string_view kMomentToNumbers =
    "(number | [number, string]) -> [number, number, number]";
constexpr Builtin kBuiltins[] = {
    {.name = "time.parse_ns", .type = "(string, string) -> number", .function = ParseNs},
    {.name = "time.parse_rfc3339_ns", .type = "(string) -> number", .function = ParseRfc3339},
    {.name = "time.parse_duration_ns", .type = "(string) -> number", .function = ParseDurationNs},
    {.name = "time.format",
     .type = "(number | [number, string] | [number, string, string]) -> string",
     .function = Format},
    {.name = "time.date", .type = kMomentToNumbers, .function = Date},
    {.name = "time.clock", .type = kMomentToNumbers, .function = ClockOf},
    {.name = "time.weekday", .type = "(number | [number, string]) -> string", .function = Weekday},
    {.name = "time.add_date",
     .type = "(number, number, number, number) -> number",
     .function = AddDate},
    {.name = "time.diff",
     .type = "(number | [number, string], number | [number, string]) -> "
             "[number, number, number, number, number, number]",
     .function = Diff},
};

}  // namespace

std::span<const Builtin> TimeBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
