// Values that come from providers of external data (gatekeeper.md 1.7, 6.1): mutators leave placeholders, and when the object
// changes no more, each provider is asked once for all its keys.

#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"
#include "mutation/mutator.h"

namespace portcullis::mutation {

// One provider's answer for one key.
struct ExternalDataItem {
  std::string key;
  std::string error;      // Not empty: the provider could not say.
  document::Value value;  // Lives in the arena that was given.
};

struct ExternalDataAnswer {
  std::vector<ExternalDataItem> items;
  bool idempotent = false;
  std::string system_error;
};

// Asks providers. THREADS: any.
class ExternalDataClient {
 public:
  virtual ~ExternalDataClient() = default;
  // ERRORS: kNotFound: no provider of that name. All else: the request failed, with a text for people.
  virtual Result<ExternalDataAnswer> Ask(const std::string& provider,
                                         const std::set<std::string>& keys,
                                         document::Arena& arena) = 0;
};

// Maps a placeholder's number to its source.
using SourceOf = std::function<const ExternalDataSource&(std::int64_t number)>;

// `object` with every placeholder replaced. The same handle where there is none.
// ERRORS: kUnavailable with Gatekeeper's text: a provider failed and the source's policy is Fail.
[[nodiscard]] Result<document::Value> ResolvePlaceholders(const document::Value& object,
                                                          const SourceOf& source_of,
                                                          ExternalDataClient* client,
                                                          document::Arena& arena);

}  // namespace portcullis::mutation
