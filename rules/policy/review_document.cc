// input.review: the request in the shape in which Gatekeeper's policies see it (gatekeeper.md 3.3 and 13.3, 13.4).

#include <array>
#include <initializer_list>

#include "document/object.h"
#include "rules/policy/review.h"

namespace portcullis::policy {
namespace {

using document::Member;
using document::Value;

const Value kNoText = Value::String("");

// Members in the order of their names, put straight into the arena.
class Members {
 public:
  Members(document::Arena& arena, std::size_t room) : room_(arena.AllocateArray<Member>(room)) {}
  void Add(std::string_view key, Value value) { room_[count_++] = {Value::String(key), value}; }
  void AddText(std::string_view key, Value value) {
    if (value.is_string() && !value.string().empty()) {
      Add(key, value);
    }
  }
  void AddPresent(std::string_view key, Value value) {
    if (value.is_defined() && !value.is_null()) {
      Add(key, value);
    }
  }
  [[nodiscard]] Value Finish() const { return Value::Object(room_.first(count_)); }

 private:
  std::span<Member> room_;
  std::size_t count_ = 0;
};

// An object with exactly these string members, sorted, as Go writes a struct of strings. Shared where it is that already.
Value Struct(const Value& given, std::initializer_list<std::string_view> names,
             document::Arena& arena) {
  bool exact = given.is_object() && given.size() == names.size();
  for (const std::string_view name : names) {
    exact = exact && given.Find(name).is_string();
  }
  if (exact) {
    return given;
  }
  Members members(arena, names.size());
  for (const std::string_view name : names) {
    const Value text = given.Find(name);
    members.Add(name, text.is_string() ? text : kNoText);
  }
  return members.Finish();
}

Value UserInfo(const Value& given, document::Arena& arena) {
  Members members(arena, 4);
  for (const std::string_view name : {"extra", "groups", "uid", "username"}) {
    const Value value = given.Find(name);
    const bool empty = value.is_string() ? value.string().empty() : value.size() == 0;
    if (!empty) {
      members.Add(name, value);
    }
  }
  return members.Finish();
}

Value OrNull(const Value& value) {
  return value.is_undefined() ? Value::Null() : value;
}

}  // namespace

Value MakeRequest(const Value& object, document::Arena& arena, std::string_view operation) {
  const document::GroupVersionKind type =
      document::MakeGroupVersionKind(object.GetString({"apiVersion"}), object.GetString({"kind"}));
  Members kind(arena, 3);
  kind.Add("group", Value::String(arena.CopyString(type.group)));
  kind.Add("kind", Value::String(object.GetString({"kind"})));
  kind.Add("version", Value::String(arena.CopyString(type.version)));
  Members request(arena, 5);
  request.Add("kind", kind.Finish());
  request.Add("name", Value::String(object.GetString({"metadata", "name"})));
  request.Add("namespace", Value::String(object.GetString({"metadata", "namespace"})));
  request.Add(operation == "DELETE" ? "oldObject" : "object", object);
  if (!operation.empty()) {
    request.Add("operation", Value::String(arena.CopyString(operation)));
  }
  return request.Finish();
}

Value MakeReview(const ReviewInput& input, document::Arena& arena) {
  const Value& request = input.request;
  const Value kind = Struct(request.Find("kind"), {"group", "kind", "version"}, arena);
  // Server-side apply gives Namespaces a namespace, other requests do not.
  const bool is_namespace =
      kind.GetString({"kind"}) == "Namespace" && kind.GetString({"group"}).empty();
  const Value old_object = OrNull(request.Find("oldObject"));
  const bool deleted = request.GetString({"operation"}) == "DELETE";

  Members review(arena, 16);
  if (const Value dry_run = request.Find("dryRun"); dry_run.is_boolean()) {
    review.Add("dryRun", dry_run);
  }
  review.Add("kind", kind);
  review.AddText("name", request.Find("name"));
  if (!is_namespace) {
    review.AddText("namespace", request.Find("namespace"));
  }
  const Value& name_space = input.name_space;
  review.Add("namespaceObject", name_space.is_object() ? name_space : Value::Object({}));
  review.Add("object", deleted ? old_object : OrNull(request.Find("object")));
  review.Add("oldObject", old_object);
  const Value operation = request.Find("operation");
  review.Add("operation", operation.is_string() ? operation : kNoText);
  review.Add("options", OrNull(request.Find("options")));
  review.AddPresent("requestKind", request.Find("requestKind"));
  review.AddPresent("requestResource", request.Find("requestResource"));
  review.AddText("requestSubResource", request.Find("requestSubResource"));
  review.Add("resource", Struct(request.Find("resource"), {"group", "resource", "version"}, arena));
  review.AddText("subResource", request.Find("subResource"));
  const Value uid = request.Find("uid");
  review.Add("uid", uid.is_string() ? uid : kNoText);
  review.Add("userInfo", UserInfo(request.Find("userInfo"), arena));
  return review.Finish();
}

}  // namespace portcullis::policy
