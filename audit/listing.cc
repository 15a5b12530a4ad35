#include "audit/listing.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "document/arena.h"
#include "document/encoding.h"
#include "document/json.h"
#include "replicator/kubernetes_messages.h"
#include "replicator/manifest_reader.h"

namespace portcullis::audit {
namespace {

using document::GroupVersionKind;
using document::Value;
using replicator::KubernetesClient;

constexpr std::chrono::seconds kRequestTimeout{20};

struct ListedKind {
  GroupVersionKind type;
  std::string path;
};

// The object as policies see its numbers.
Result<Value> AsFloat64(const Value& object, document::Arena& arena) {
  return document::OpenTrusted(TRY(document::Encode(object)), arena,
                               document::NumberMode::kFloat64);
}

bool CanBeListed(const Value& resource) {
  const Value verbs = resource.Find("verbs");
  for (std::uint32_t i = 0; verbs.is_array() && i < verbs.size(); ++i) {
    if (verbs.ItemAt(i).is_string() && verbs.ItemAt(i).string() == "list") {
      return resource.GetString({"name"}).find('/') == std::string_view::npos;
    }
  }
  return false;
}

class ClusterListing final : public Listing {
 public:
  ClusterListing(KubernetesClient& client, std::size_t page_size, std::shared_ptr<Logger> logger)
      : client_(client), page_size_(page_size), logger_(std::move(logger)) {}

  Result<void> Visit(const WantKind& want, const TakeObject& take) override {
    for (const ListedKind& kind : TRY(Discover())) {
      if (!want(kind.type)) {
        continue;
      }
      bool more = true;
      TRY(VisitKind(kind, take, &more));
      if (!more) {
        return {};
      }
    }
    return {};
  }

 private:
  Result<std::string> Get(std::string path) {
    replicator::HttpRequest request = KubernetesClient::Get(std::move(path));
    request.timeout = kRequestTimeout;
    return client_.Call(std::move(request));
  }

  // Kinds of one group version that no version before had.
  void AddKinds(const std::string& group, const std::string& version, std::set<std::string>* seen,
                std::vector<ListedKind>* kinds) {
    const std::string base = replicator::GroupVersionPath(group, version);
    const Result<std::string> text = Get(base);
    document::Arena arena;
    const Result<Value> list =
        text ? document::ParseJson(*text, arena) : Result<Value>(std::unexpected(text.error()));
    if (!list) {
      logger_->Error(
          "cannot discover kinds",
          {{"process", "audit"}, {"group_version", base}, {"error", list.error().message}});
      return;
    }
    const Value resources = list->Find("resources");
    for (std::uint32_t i = 0; resources.is_array() && i < resources.size(); ++i) {
      const Value resource = resources.ItemAt(i);
      const std::string kind(resource.GetString({"kind"}));
      if (CanBeListed(resource) && seen->insert(kind).second) {
        kinds->push_back(
            {{group, version, kind}, base + "/" + std::string(resource.GetString({"name"}))});
      }
    }
  }

  Result<std::vector<ListedKind>> Discover() {
    std::vector<ListedKind> kinds;
    std::set<std::string> core;
    AddKinds("", "v1", &core, &kinds);
    const std::string text = TRY(Get("/apis"));
    document::Arena arena;
    const Value root = TRY(AddContext(document::ParseJson(text, arena), "discovery"));
    const Value groups = root.Find("groups");
    for (std::uint32_t g = 0; groups.is_array() && g < groups.size(); ++g) {
      const Value group = groups.ItemAt(g);
      const std::string name(group.GetString({"name"}));
      const std::string preferred(group.GetString({"preferredVersion", "version"}));
      std::set<std::string> seen;
      AddKinds(name, preferred, &seen, &kinds);
      const Value versions = group.Find("versions");
      for (std::uint32_t v = 0; versions.is_array() && v < versions.size(); ++v) {
        const std::string version(versions.ItemAt(v).GetString({"version"}));
        if (version != preferred) {
          AddKinds(name, version, &seen, &kinds);
        }
      }
    }
    return kinds;
  }

  Result<void> VisitKind(const ListedKind& kind, const TakeObject& take, bool* more) {
    std::string continue_token;
    document::Arena arena;
    document::Arena object_arena;
    do {
      std::string path = kind.path + "?";
      if (page_size_ > 0) {
        path += "limit=" + std::to_string(page_size_);
      }
      if (!continue_token.empty()) {
        path += "&continue=" + replicator::EscapeForUrl(continue_token);
      }
      arena.Reset();
      const Result<std::string> text = Get(std::move(path));
      const Result<replicator::ListPage> page =
          text ? replicator::ParseListPage(*text, kind.type, arena)
               : Result<replicator::ListPage>(std::unexpected(text.error()));
      if (!page) {
        logger_->Error("Unable to list objects for gvk", {{"process", "audit"},
                                                          {"group", kind.type.group},
                                                          {"version", kind.type.version},
                                                          {"kind", kind.type.kind},
                                                          {"error", page.error().message}});
        return {};
      }
      for (const Value& item : page->items) {
        object_arena.Reset();
        const Value object = TRY(AsFloat64(item, object_arena));
        *more = TRY(take(object));
        if (!*more) {
          return {};
        }
      }
      continue_token = page->continue_token;
    } while (!continue_token.empty());
    return {};
  }

  KubernetesClient& client_;
  const std::size_t page_size_;
  const std::shared_ptr<Logger> logger_;
};

class FolderListing final : public Listing {
 public:
  FolderListing(std::filesystem::path folder, std::shared_ptr<Logger> logger)
      : folder_(std::move(folder)), logger_(std::move(logger)) {}

  Result<void> Visit(const WantKind& want, const TakeObject& take) override {
    std::error_code error;
    std::vector<std::filesystem::path> files;
    for (std::filesystem::recursive_directory_iterator it(folder_, error), end; !error && it != end;
         it.increment(error)) {
      const std::string extension = it->path().extension().string();
      if (it->is_regular_file(error) &&
          (extension == ".yaml" || extension == ".yml" || extension == ".json")) {
        files.push_back(it->path());
      }
    }
    std::ranges::sort(files);
    for (const std::filesystem::path& file : files) {
      bool more = true;
      TRY(VisitFile(file, want, take, &more));
      if (!more) {
        return {};
      }
    }
    return {};
  }

 private:
  Result<void> VisitFile(const std::filesystem::path& file, const WantKind& want,
                         const TakeObject& take, bool* more) {
    document::Arena arena;
    Result<void> taken;
    const Result<void> read = replicator::ReadManifests(
        file, {}, [&](std::span<const document::YamlDocument> documents) -> Result<void> {
          for (const document::YamlDocument& each : documents) {
            const Value& object = each.value;
            if (!*more || !want(document::MakeGroupVersionKind(object.GetString({"apiVersion"}),
                                                               object.GetString({"kind"})))) {
              continue;
            }
            arena.Reset();
            const Value as_reviewed = TRY(AsFloat64(object, arena));
            const Result<bool> go_on = take(as_reviewed);
            if (!go_on) {
              taken = std::unexpected(go_on.error());
              return taken;
            }
            *more = *go_on;
          }
          return {};
        });
    TRY(taken);
    if (!read) {
      logger_->Error("cannot read manifests",
                     {{"process", "audit"}, {"error", read.error().ToString()}});
    }
    return {};
  }

  const std::filesystem::path folder_;
  const std::shared_ptr<Logger> logger_;
};

}  // namespace

std::unique_ptr<Listing> ListCluster(KubernetesClient& client, std::size_t page_size,
                                     std::shared_ptr<Logger> logger) {
  return std::make_unique<ClusterListing>(client, page_size, std::move(logger));
}

std::unique_ptr<Listing> ListFolder(std::filesystem::path folder, std::shared_ptr<Logger> logger) {
  return std::make_unique<FolderListing>(std::move(folder), std::move(logger));
}

}  // namespace portcullis::audit
