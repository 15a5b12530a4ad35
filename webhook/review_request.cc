#include "webhook/review_request.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "document/json.h"
#include "document/json_complaint.h"
#include "document/yaml.h"

namespace portcullis::webhook {
namespace {

using document::Type;
using document::Value;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kFindKind = "couldn't get version/kind; json parse error: ";
// What Go calls the struct into which it reads no more than version and kind.
constexpr std::string_view kVersionAndKind =
    R"(struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" })";

bool IsAbsent(const Value& value) {
  return value.is_undefined() || value.is_null();
}

document::ParseOptions Options(document::NumberMode numbers) {
  return {.numbers = numbers,
          .duplicates = document::DuplicateKeys::kKeepLast,
          .max_depth = kMaxDepth,
          .max_bytes = std::size_t{64} << 20,
          .file = {}};
}

std::string CannotUnmarshal(const Value& value, std::string_view what) {
  return "json: cannot unmarshal " + std::string(GoJsonType(value)) + " into Go " +
         std::string(what);
}

// The first number below `value` that float64 cannot hold; empty: there is none. The depth is bounded by the parser.
std::string_view FindBadNumber(const Value& value) {
  if (value.is_decimal()) {
    return std::isinf(document::ToDouble(value)) ? value.decimal_text() : std::string_view();
  }
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    const Value child = value.is_object() ? value.ValueAt(i) : value.ItemAt(i);
    if (const std::string_view bad = FindBadNumber(child); !bad.empty()) {
      return bad;
    }
  }
  return {};
}

// A request whose numbers do not all fit into float64. Where they do not matter, Gatekeeper does not notice.
Value WithoutBadNumbers(const Value& review, document::Arena& arena, std::string_view* bad_number) {
  const Value request = review.Find("request");
  document::ObjectBuilder kept(arena);
  for (std::uint32_t i = 0; i < request.size() && request.is_object(); ++i) {
    const Value field = request.ValueAt(i);
    const std::string_view bad = FindBadNumber(field);
    if (bad.empty()) {
      kept.Add(request.KeyAt(i), document::WithFloatNumbers(field, arena));
      continue;
    }
    const std::string_view name = request.KeyAt(i).string();
    if (name == "object" || name == "oldObject") {
      *bad_number = bad;
    }
  }
  document::ObjectBuilder whole(arena);
  whole.Add("apiVersion", review.Find("apiVersion"));
  whole.Add("kind", review.Find("kind"));
  whole.Add("request", kept.Finish());
  return whole.Finish();
}

// The names of Go's types for the fields of an AdmissionRequest.
struct Field {
  std::string_view name;
  std::string_view go_type;
  Type type;
};
constexpr std::array kRequestFields = {
    Field{"dryRun", "bool", Type::kBoolean},
    Field{"kind", "v1.GroupVersionKind", Type::kObject},
    Field{"name", "string", Type::kString},
    Field{"namespace", "string", Type::kString},
    Field{"operation", "v1.Operation", Type::kString},
    Field{"requestKind", "v1.GroupVersionKind", Type::kObject},
    Field{"requestResource", "v1.GroupVersionResource", Type::kObject},
    Field{"requestSubResource", "string", Type::kString},
    Field{"resource", "v1.GroupVersionResource", Type::kObject},
    Field{"subResource", "string", Type::kString},
    Field{"uid", "types.UID", Type::kString},
    Field{"userInfo", "v1.UserInfo", Type::kObject},
};
constexpr std::array kKindFields = {Field{"group", "string", Type::kString},
                                    Field{"kind", "string", Type::kString},
                                    Field{"version", "string", Type::kString}};
constexpr std::array kResourceFields = {Field{"group", "string", Type::kString},
                                        Field{"resource", "string", Type::kString},
                                        Field{"version", "string", Type::kString}};
constexpr std::array kUserFields = {
    Field{"extra", "map[string]v1.ExtraValue", Type::kObject},
    Field{"groups", "[]string", Type::kArray},
    Field{"uid", "string", Type::kString},
    Field{"username", "string", Type::kString},
};

// Empty, or what Go says of the first field that has another type.
std::string CheckFields(const Value& object, std::span<const Field> fields,
                        std::string_view struct_name, std::string_view path) {
  for (const Field& field : fields) {
    const Value value = object.Find(field.name);
    if (!IsAbsent(value) && value.type() != field.type) {
      return CannotUnmarshal(value, "struct field " + std::string(struct_name) +
                                        ".AdmissionReview.request." + std::string(path) +
                                        std::string(field.name) + " of type " +
                                        std::string(field.go_type));
    }
  }
  return {};
}

std::string CheckTexts(const Value& list, std::string_view path) {
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    const Value item = list.ItemAt(i);
    if (!item.is_string() && !item.is_null()) {
      return CannotUnmarshal(item, "struct field UserInfo.AdmissionReview.request.userInfo." +
                                       std::string(path) + " of type string");
    }
  }
  return {};
}

std::string CheckUser(const Value& user) {
  if (std::string error = CheckFields(user, kUserFields, "UserInfo", "userInfo."); !error.empty()) {
    return error;
  }
  if (std::string error = CheckTexts(user.Find("groups"), "groups"); !error.empty()) {
    return error;
  }
  const Value extra = user.Find("extra");
  for (std::uint32_t i = 0; i < extra.size(); ++i) {
    const Value list = extra.ValueAt(i);
    if (!list.is_array() && !list.is_null()) {
      return CannotUnmarshal(
          list,
          "struct field UserInfo.AdmissionReview.request.userInfo.extra of type v1.ExtraValue");
    }
    if (std::string error = CheckTexts(list, "extra"); !error.empty()) {
      return error;
    }
  }
  return {};
}

std::string CheckRequest(const Value& request) {
  std::string error = CheckFields(request, kRequestFields, "AdmissionRequest", "");
  for (const std::string_view name : {"kind", "requestKind"}) {
    if (error.empty()) {
      error =
          CheckFields(request.Find(name), kKindFields, "GroupVersionKind", std::string(name) + ".");
    }
  }
  for (const std::string_view name : {"resource", "requestResource"}) {
    if (error.empty()) {
      error = CheckFields(request.Find(name), kResourceFields, "GroupVersionResource",
                          std::string(name) + ".");
    }
  }
  return error.empty() ? CheckUser(request.Find("userInfo")) : error;
}

// What Kubernetes' decoder says when it looks for version and kind; empty: it found them, or found them absent.
std::string VersionAndKindComplaint(const Value& value) {
  if (!value.is_object()) {
    return std::string(kFindKind) +
           CannotUnmarshal(value, "value of type " + std::string(kVersionAndKind));
  }
  for (const std::string_view name : {"apiVersion", "kind"}) {
    const Value field = value.Find(name);
    if (!IsAbsent(field) && !field.is_string()) {
      return std::string(kFindKind) +
             CannotUnmarshal(field, "struct field ." + std::string(name) + " of type string");
    }
  }
  const std::string_view version = value.GetString({"apiVersion"});
  if (std::ranges::count(version, '/') > 1) {
    return "unexpected GroupVersion string: " + std::string(version);
  }
  return {};
}

bool LooksLikeJson(std::string_view body) {
  const std::size_t first = body.find_first_not_of(" \t\r\n\v\f");
  return first != std::string_view::npos && body[first] == '{';
}

Result<Value> ParseBody(std::string_view body, document::NumberMode numbers,
                        document::Arena& arena) {
  if (LooksLikeJson(body)) {
    return document::ParseJson(body, arena, Options(numbers));
  }
  const auto documents = TRY(document::ParseYaml(body, arena, Options(numbers)));
  return documents.empty() ? Value::Null() : documents.front().value;
}

std::string ParseComplaint(std::string_view body, const Error& error) {
  if (!LooksLikeJson(body)) {
    return "yaml: " + error.ToString();
  }
  const std::string complaint = document::JsonComplaint(body, kMaxDepth);
  return std::string(kFindKind) + (complaint.empty() ? error.ToString() : complaint);
}

}  // namespace

std::string_view GoJsonType(const Value& value) {
  switch (value.type()) {
    case Type::kBoolean:
      return "bool";
    case Type::kNumber:
      return "number";
    case Type::kString:
      return "string";
    case Type::kArray:
      return "array";
    case Type::kObject:
      return "object";
    default:
      return "null";
  }
}

std::string ObjectComplaint(const Value& object) {
  std::string error = VersionAndKindComplaint(object);
  if (error.empty() && object.GetString({"kind"}).empty()) {
    error = "Object 'Kind' is missing in '" + document::ToJson(object) + "'";
  }
  return error;
}

Result<ReviewRequest> ReadReview(std::string_view content_type, std::string_view body,
                                 document::Arena& arena, document::NumberMode numbers) {
  if (body.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "request body is empty");
  }
  if (content_type != kJson) {
    return Fail(ErrorCode::kInvalidArgument,
                "contentType=" + std::string(content_type) + ", expected application/json");
  }
  if (body.starts_with(kByteOrderMark)) {
    body.remove_prefix(kByteOrderMark.size());
  }
  ReviewRequest review;
  auto parsed = ParseBody(body, numbers, arena);
  if (parsed && numbers == document::NumberMode::kExact) {
    review.bad_number = FindBadNumber(parsed->Get({"request", "object"}));
  }
  if (!parsed) {
    // Perhaps only for a number that nobody looks at.
    auto exact = ParseBody(body, document::NumberMode::kExact, arena);
    if (!exact) {
      return Fail(ErrorCode::kInvalidArgument, ParseComplaint(body, parsed.error()));
    }
    parsed = WithoutBadNumbers(*exact, arena, &review.bad_number);
  }
  // A body of white space is a YAML document without content, and that is an empty review.
  const Value whole = parsed->is_null() ? Value::Object({}) : *parsed;
  if (std::string complaint = VersionAndKindComplaint(whole); !complaint.empty()) {
    return Fail(ErrorCode::kInvalidArgument, std::move(complaint));
  }
  const Value request = whole.Find("request");
  if (!IsAbsent(request) && !request.is_object()) {
    return Fail(
        ErrorCode::kInvalidArgument,
        CannotUnmarshal(request,
                        "struct field unversionedAdmissionReview.AdmissionReview.request of "
                        "type v1.AdmissionRequest"));
  }
  review.api_version = whole.GetString({"apiVersion"});
  review.kind = whole.GetString({"kind"});
  review.request = request.is_object() ? request : Value::Object({});
  if (std::string complaint = CheckRequest(review.request); !complaint.empty()) {
    return Fail(ErrorCode::kInvalidArgument, std::move(complaint));
  }
  return review;
}

}  // namespace portcullis::webhook
