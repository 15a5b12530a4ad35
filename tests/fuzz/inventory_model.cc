#include "tests/fuzz/inventory_model.h"

#include <algorithm>
#include <array>
#include <utility>

#include "document/encoding.h"
#include "document/object.h"
#include "index/key_codec.h"
#include "store/object_key.h"

namespace portcullis::fuzz {
namespace {

using document::Value;
using index::FoundObject;

class Objects final : public index::ObjectCursor {
 public:
  explicit Objects(std::vector<std::pair<std::string, std::string>> found)
      : found_(std::move(found)) {}

  Result<std::optional<FoundObject>> Next() override {
    if (next_ == found_.size()) {
      return std::nullopt;
    }
    key_ = std::make_unique<std::string>(found_[next_].first);
    record_ = std::make_unique<std::string>(found_[next_].second);
    ++next_;
    return FoundObject{.key = *store::DecodeKey(*key_), .record = *record_};
  }

 private:
  std::vector<std::pair<std::string, std::string>> found_;
  std::size_t next_ = 0;
  std::unique_ptr<std::string> key_;
  std::unique_ptr<std::string> record_;
};

class Segments final : public index::SegmentCursor {
 public:
  explicit Segments(std::vector<std::string> names) : names_(std::move(names)) {}

  Result<std::optional<std::string_view>> Next() override {
    if (next_ == names_.size()) {
      return std::nullopt;
    }
    name_ = std::make_unique<std::string>(names_[next_++]);
    return *name_;
  }

 private:
  std::vector<std::string> names_;
  std::size_t next_ = 0;
  std::unique_ptr<std::string> name_;
};

std::string Bytes(const index::TreePrefix& prefix) {
  std::string bytes;
  store::AppendTreePrefix(prefix.scope, prefix.segments, &bytes);
  return bytes;
}

// `value` at the end of `path` below `tree`.
Value Put(const Value& tree, std::span<const std::string_view> path, const Value& value,
          document::Arena& arena) {
  if (path.empty()) {
    return value;
  }
  document::ObjectBuilder members(arena);
  for (std::uint32_t i = 0; tree.is_object() && i < tree.size(); ++i) {
    members.Add(tree.KeyAt(i), tree.ValueAt(i));
  }
  const Value below = tree.is_object() ? tree.Find(path.front()) : Value();
  members.Add(Value::String(arena.CopyString(path.front())),
              Put(below, path.subspan(1), value, arena));
  return members.Finish();
}

}  // namespace

void InventoryModel::Add(const Value& array) {
  for (std::uint32_t i = 0; array.is_array() && i < array.size(); ++i) {
    const auto identity = document::IdentityOf(array.ItemAt(i));
    if (!identity) {
      continue;
    }
    const auto key = store::KeyOf(*identity);
    auto record = document::Encode(array.ItemAt(i));
    if (key && record) {
      records_[store::EncodeKey(*key)] = std::move(*record);
    }
  }
}

Value InventoryModel::Tree(document::Arena& arena) const {
  Value tree = Value::Object({});
  for (const auto& [bytes, record] : records_) {
    const store::ObjectKeyView key = *store::DecodeKey(bytes);
    const Value object = *document::OpenTrusted(record, arena, document::NumberMode::kFloat64);
    const std::array<std::string_view, 5> path = {"namespace", key.name_space, key.group_version,
                                                  key.kind, key.name};
    const std::array<std::string_view, 4> cluster = {"cluster", key.group_version, key.kind,
                                                     key.name};
    tree = key.scope == store::Scope::kNamespaced ? Put(tree, path, object, arena)
                                                  : Put(tree, cluster, object, arena);
  }
  return tree;
}

Result<Value> InventoryModel::Get(const store::ObjectKeyView& key, document::Arena& arena,
                                  document::NumberMode numbers) {
  std::string bytes;
  store::AppendKey(key, &bytes);
  const auto found = records_.find(bytes);
  return found == records_.end() ? Value() : document::OpenTrusted(found->second, arena, numbers);
}

std::vector<std::string> InventoryModel::KeysBelow(const index::TreePrefix& prefix) const {
  const std::string bytes = Bytes(prefix);
  const bool whole = prefix.segments.size() == store::KeyLevels(prefix.scope);
  std::vector<std::string> keys;
  for (auto it = records_.lower_bound(bytes); it != records_.end() && it->first.starts_with(bytes);
       ++it) {
    if (!whole || it->first == bytes) {
      keys.push_back(it->first);
    }
  }
  return keys;
}

Result<bool> InventoryModel::Exists(const index::TreePrefix& prefix) {
  return !KeysBelow(prefix).empty();
}

Result<std::unique_ptr<index::SegmentCursor>> InventoryModel::Segments(
    const index::TreePrefix& prefix) {
  const std::size_t begin = Bytes(prefix).size();
  std::vector<std::string> names;
  for (const std::string& key : KeysBelow(prefix)) {
    std::string name = key.substr(begin, key.find('\0', begin) - begin);
    if (names.empty() || names.back() != name) {
      names.push_back(std::move(name));
    }
  }
  return std::make_unique<fuzz::Segments>(std::move(names));
}

Result<std::unique_ptr<index::ObjectCursor>> InventoryModel::Objects(
    const index::TreePrefix& prefix) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const std::string& key : KeysBelow(prefix)) {
    found.emplace_back(key, records_.at(key));
  }
  return std::make_unique<fuzz::Objects>(std::move(found));
}

std::optional<index::IndexId> InventoryModel::FindIndex(const index::Definition& definition) {
  const auto at = std::ranges::find(indexes_, definition, &Index::definition);
  if (at != indexes_.end()) {
    return static_cast<index::IndexId>(at - indexes_.begin());
  }
  Index& index = indexes_.emplace_back(Index{.definition = definition, .program = nullptr});
  if (!definition.program.empty()) {
    auto program = programs_.Make(definition.program);
    Require(program.has_value(), "the program of a wanted index can be made", definition.program);
    index.program = std::move(*program);
  }
  return static_cast<index::IndexId>(indexes_.size() - 1);
}

bool InventoryModel::HasKey(const Index& index, const Value& object,
                            const std::vector<std::string>& wanted) {
  document::Arena arena;
  std::vector<Value> keys;
  if (index.program == nullptr) {
    index::ExtractKeys(index.definition, object, arena, &keys);
  } else if (auto computed = index.program->Keys(object, arena)) {
    keys = std::move(*computed);
  } else {
    return true;
  }
  return std::ranges::any_of(keys, [&](const Value& key) {
    std::string bytes;
    index::AppendKeyBytes(key, &bytes);
    return std::ranges::find(wanted, bytes) != wanted.end();
  });
}

Result<std::unique_ptr<index::ObjectCursor>> InventoryModel::Lookup(index::IndexId index,
                                                                    const Value& key) {
  const index::IndexKeys wanted{.index = index, .keys = std::span(&key, 1)};
  return LookupAny(std::span(&wanted, 1), {});
}

Result<std::unique_ptr<index::ObjectCursor>> InventoryModel::LookupAny(
    std::span<const index::IndexKeys> wanted, const index::TreePrefix& within) {
  const std::string below = within.segments.empty() ? std::string() : Bytes(within);
  std::map<std::string, std::string> found;
  for (const index::IndexKeys& each : wanted) {
    const Index& index = indexes_.at(each.index);
    std::vector<std::string> keys;
    for (const Value& key : each.keys) {
      index::AppendKeyBytes(key, &keys.emplace_back());
    }
    for (const auto& [of, record] : records_) {
      document::Arena arena;
      const Value object = *document::OpenTrusted(record, arena);
      if (of.starts_with(below) && index.definition.Covers(store::DecodeKey(of)->ToKey()) &&
          HasKey(index, object, keys)) {
        found.emplace(of, "");
      }
    }
  }
  return std::make_unique<fuzz::Objects>(
      std::vector<std::pair<std::string, std::string>>(found.begin(), found.end()));
}

std::uint64_t InventoryModel::EstimateObjects(store::Scope scope, std::string_view kind) {
  return static_cast<std::uint64_t>(std::ranges::count_if(records_, [&](const auto& record) {
    const store::ObjectKeyView key = *store::DecodeKey(record.first);
    return key.scope == scope && (kind.empty() || key.kind == kind);
  }));
}

}  // namespace portcullis::fuzz
