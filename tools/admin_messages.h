// Between the types of the inventory and the messages of the admin protocol. Knows Cap'n Proto; for the admin protocol only.

#pragma once

#include <string>
#include <string_view>

#include <capnp/message.h>

#include "base/error.h"
#include "index/inventory.h"
#include "tools/admin.capnp.h"
#include "tools/inventory_reader.h"

namespace portcullis::tools {

// What either side accepts in one message, in words of 8 bytes.
inline constexpr std::uint64_t kServerReceivesWords = std::uint64_t{1}
                                                      << 17;  // 1 MiB: clients only ask.
inline constexpr std::uint64_t kClientReceivesWords =
    std::uint64_t{1} << 24;  // 128 MiB: a page holds at least one object.

[[nodiscard]] capnp::ReaderOptions ReceiveOptions(std::uint64_t words);

[[nodiscard]] capnp::Text::Reader ToText(const std::string& text);
[[nodiscard]] capnp::Data::Reader ToData(std::string_view bytes);
[[nodiscard]] std::string FromText(capnp::Text::Reader text);
[[nodiscard]] std::string_view FromData(capnp::Data::Reader bytes);

void WriteFailure(const Error& error, capnp_admin::Failure::Builder failure);
[[nodiscard]] Error ReadFailure(capnp_admin::Failure::Reader failure);

void WriteFilter(const ObjectFilter& filter, capnp_admin::Filter::Builder message);
[[nodiscard]] ObjectFilter ReadFilter(capnp_admin::Filter::Reader message);

void WriteFindingsFilter(const audit::FindingsFilter& filter,
                         capnp_admin::FindingsFilter::Builder message);
[[nodiscard]] audit::FindingsFilter ReadFindingsFilter(capnp_admin::FindingsFilter::Reader message);

void WriteStatistics(const InventoryStatistics& statistics,
                     capnp_admin::Admin::StatisticsResults::Builder message);
// ERRORS: kCorruption: a definition that is none.
[[nodiscard]] Result<InventoryStatistics> ReadStatistics(
    capnp_admin::Admin::StatisticsResults::Reader message);

void WriteCheckReport(const index::CheckReport& report, capnp_admin::CheckReport::Builder message);
[[nodiscard]] index::CheckReport ReadCheckReport(capnp_admin::CheckReport::Reader message);

// What an exception of KJ says to a person.
[[nodiscard]] Error FromException(const kj::Exception& exception);

}  // namespace portcullis::tools
