#include "tools/admin_messages.h"

#include <utility>

namespace portcullis::tools {

using capnp_admin::Index;

capnp::ReaderOptions ReceiveOptions(std::uint64_t words) {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = words;
  return options;
}

capnp::Text::Reader ToText(const std::string& text) {
  return {text.c_str(), text.size()};
}

capnp::Data::Reader ToData(std::string_view bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}

std::string FromText(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

std::string_view FromData(capnp::Data::Reader bytes) {
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

void WriteFailure(const Error& error, capnp_admin::Failure::Builder failure) {
  failure.setCode(static_cast<std::uint16_t>(error.code));
  failure.setMessage(ToText(error.ToString()));
}

Error ReadFailure(capnp_admin::Failure::Reader failure) {
  // A code of a newer server is nothing that this program could react to.
  const bool known = failure.getCode() <= static_cast<std::uint16_t>(ErrorCode::kInternal);
  return Error{
      .code = known ? static_cast<ErrorCode>(failure.getCode()) : ErrorCode::kInternal,
      .message = FromText(failure.getMessage()),
      .position = std::nullopt,
  };
}

void WriteFilter(const ObjectFilter& filter, capnp_admin::Filter::Builder message) {
  message.setNamespace(ToText(filter.name_space));
  message.setGroupVersion(ToText(filter.group_version));
  message.setKind(ToText(filter.kind));
  message.setName(ToText(filter.name));
}

ObjectFilter ReadFilter(capnp_admin::Filter::Reader message) {
  return {.name_space = FromText(message.getNamespace()),
          .group_version = FromText(message.getGroupVersion()),
          .kind = FromText(message.getKind()),
          .name = FromText(message.getName())};
}

void WriteFindingsFilter(const audit::FindingsFilter& filter,
                         capnp_admin::FindingsFilter::Builder message) {
  message.setConstraintKind(ToText(filter.constraint_kind));
  message.setConstraintName(ToText(filter.constraint_name));
  message.setNamespace(ToText(filter.name_space));
  message.setObjectKind(ToText(filter.object_kind));
}

audit::FindingsFilter ReadFindingsFilter(capnp_admin::FindingsFilter::Reader message) {
  return {.constraint_kind = FromText(message.getConstraintKind()),
          .constraint_name = FromText(message.getConstraintName()),
          .name_space = FromText(message.getNamespace()),
          .object_kind = FromText(message.getObjectKind())};
}

namespace {

Index::State ToMessage(index::IndexState state) {
  switch (state) {
    case index::IndexState::kBuilding:
      return Index::State::BUILDING;
    case index::IndexState::kReady:
      return Index::State::READY;
    case index::IndexState::kDropping:
      return Index::State::DROPPING;
  }
  return Index::State::BUILDING;
}

index::IndexState FromMessage(Index::State state) {
  switch (state) {
    case Index::State::READY:
      return index::IndexState::kReady;
    case Index::State::DROPPING:
      return index::IndexState::kDropping;
    default:
      return index::IndexState::kBuilding;
  }
}

void WriteKind(const index::KindStatistics& kind, capnp_admin::Kind::Builder message) {
  message.setGroup(ToText(kind.type.group));
  message.setVersion(ToText(kind.type.version));
  message.setKind(ToText(kind.type.kind));
  message.setObjects(kind.objects);
  message.setEncodedBytes(kind.encoded_bytes);
  message.setResourceVersion(ToText(kind.position.resource_version));
  message.setComplete(kind.position.complete);
}

index::KindStatistics ReadKind(capnp_admin::Kind::Reader message) {
  return {.type = {.group = FromText(message.getGroup()),
                   .version = FromText(message.getVersion()),
                   .kind = FromText(message.getKind())},
          .objects = message.getObjects(),
          .encoded_bytes = message.getEncodedBytes(),
          .position = {.resource_version = FromText(message.getResourceVersion()),
                       .complete = message.getComplete()}};
}

void WriteKeys(const index::KeyStatistics& keys, capnp_admin::Keys::Builder message) {
  message.setEntries(keys.entries);
  message.setDistinct(keys.distinct_keys);
  message.setChanges(keys.changes);
  auto frequent = message.initFrequent(static_cast<unsigned>(keys.frequent.size()));
  for (unsigned i = 0; i < frequent.size(); ++i) {
    frequent[i].setKey(ToData(keys.frequent[i].key));
    frequent[i].setEntries(keys.frequent[i].entries);
  }
}

index::KeyStatistics ReadKeys(capnp_admin::Keys::Reader message) {
  index::KeyStatistics keys{.entries = message.getEntries(),
                            .distinct_keys = message.getDistinct(),
                            .changes = message.getChanges(),
                            .frequent = {}};
  for (const capnp_admin::Keys::Count::Reader each : message.getFrequent()) {
    keys.frequent.push_back(
        {.key = std::string(FromData(each.getKey())), .entries = each.getEntries()});
  }
  return keys;
}

void WriteIndex(const index::IndexStatus& status, Index::Builder message) {
  message.setId(status.id);
  message.setDefinition(ToText(status.definition.ToString()));
  message.setState(ToMessage(status.state));
  auto users = message.initUsers(static_cast<unsigned>(status.users.size()));
  for (unsigned i = 0; i < users.size(); ++i) {
    users.set(i, ToText(status.users[i]));
  }
  message.setEntries(status.entries);
  message.setBuiltObjects(status.built_objects);
  message.setLookups(status.lookups);
  message.setBytes(status.bytes);
  message.setTotalObjects(status.total_objects);
  if (status.keys) {
    WriteKeys(*status.keys, message.initKeys());
  }
}

Result<index::IndexStatus> ReadIndex(Index::Reader message) {
  index::IndexStatus status{
      .id = message.getId(),
      .definition = TRY(index::Definition::Parse(FromText(message.getDefinition()))),
      .state = FromMessage(message.getState()),
      .users = {},
      .entries = message.getEntries(),
      .bytes = message.getBytes(),
      .built_objects = message.getBuiltObjects(),
      .total_objects = message.getTotalObjects(),
      .lookups = message.getLookups(),
  };
  if (message.hasKeys()) {
    status.keys = ReadKeys(message.getKeys());
  }
  for (const capnp::Text::Reader user : message.getUsers()) {
    status.users.push_back(FromText(user));
  }
  return status;
}

}  // namespace

void WriteStatistics(const InventoryStatistics& statistics,
                     capnp_admin::Admin::StatisticsResults::Builder message) {
  auto kinds = message.initKinds(static_cast<unsigned>(statistics.kinds.size()));
  for (unsigned i = 0; i < kinds.size(); ++i) {
    WriteKind(statistics.kinds[i], kinds[i]);
  }
  auto indexes = message.initIndexes(static_cast<unsigned>(statistics.indexes.size()));
  for (unsigned i = 0; i < indexes.size(); ++i) {
    WriteIndex(statistics.indexes[i], indexes[i]);
  }
  message.setDiskBytes(statistics.disk_bytes);
}

Result<InventoryStatistics> ReadStatistics(capnp_admin::Admin::StatisticsResults::Reader message) {
  InventoryStatistics statistics;
  for (const capnp_admin::Kind::Reader kind : message.getKinds()) {
    statistics.kinds.push_back(ReadKind(kind));
  }
  for (const Index::Reader status : message.getIndexes()) {
    statistics.indexes.push_back(TRY(ReadIndex(status)));
  }
  statistics.disk_bytes = message.getDiskBytes();
  return statistics;
}

void WriteCheckReport(const index::CheckReport& report, capnp_admin::CheckReport::Builder message) {
  message.setObjects(report.objects);
  message.setEntries(report.entries);
  message.setProblemCount(report.problem_count);
  auto problems = message.initProblems(static_cast<unsigned>(report.problems.size()));
  for (unsigned i = 0; i < problems.size(); ++i) {
    problems.set(i, ToText(report.problems[i]));
  }
}

index::CheckReport ReadCheckReport(capnp_admin::CheckReport::Reader message) {
  index::CheckReport report;
  report.objects = message.getObjects();
  report.entries = message.getEntries();
  report.problem_count = message.getProblemCount();
  for (const capnp::Text::Reader problem : message.getProblems()) {
    report.problems.push_back(FromText(problem));
  }
  return report;
}

Error FromException(const kj::Exception& exception) {
  const bool gone = exception.getType() == kj::Exception::Type::DISCONNECTED ||
                    exception.getType() == kj::Exception::Type::OVERLOADED;
  return Error{.code = gone ? ErrorCode::kUnavailable : ErrorCode::kInternal,
               .message = (gone ? "the other side went away: " : "admin protocol: ") +
                          std::string(exception.getDescription().cStr()),
               .position = std::nullopt};
}

}  // namespace portcullis::tools
