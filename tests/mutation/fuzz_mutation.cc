// Locations and what mutators make of objects. The input: a line with a location, a line with a value (JSON), and an object (JSON).
// What must hold: a location shown that can be read
// (Gatekeeper quotes too little: 'a/b' is shown as a/b) reads as the same; a mutated object does not change when it is mutated again; the patch makes the
// mutated object of the first; nothing is done to the object that was given.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "document/json.h"
#include "mutation/go_value.h"
#include "mutation/json_patch.h"
#include "mutation/location.h"
#include "mutation/mutation_system.h"

namespace {

using nlohmann::json;
using portcullis::document::Arena;
using portcullis::document::ParseJson;
using portcullis::document::ParseOptions;
using portcullis::document::Value;

constexpr std::uint32_t kDepth = 100;  // nlohmann::json recurses.

std::string_view TakeLine(std::string_view* text) {
  const std::size_t end = text->find('\n');
  const std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  return line;
}

void Check(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// As Gatekeeper's patches compare numbers. The object is one that the webhook lets through: numbers are in float64's range.
json WithFloats(json value) {
  if (value.is_number()) {
    return value.get<double>();
  }
  if (value.is_structured()) {
    for (json& each : value) {
      each = WithFloats(std::move(each));
    }
  }
  return value;
}

json Manifest(const char* kind, const std::string& location, json parameters) {
  json manifest = {{"apiVersion", "mutations.gatekeeper.sh/v1alpha1"},
                   {"kind", kind},
                   {"metadata", {{"name", "m"}}},
                   {"spec", {{"location", location}, {"parameters", std::move(parameters)}}}};
  manifest["spec"]["applyTo"] =
      json::array({{{"groups", {""}}, {"versions", {"v1"}}, {"kinds", {"Pod"}}}});
  return manifest;
}

void Mutate(const json& manifest, const Value& object) {
  Arena arena;
  const auto parsed =
      ParseJson(manifest.dump(-1, ' ', false, json::error_handler_t::replace), arena);
  portcullis::mutation::MutationStore store;
  if (!parsed || !store.Put(*parsed)) {
    return;
  }
  portcullis::mutation::MutateOptions options;
  options.new_id = [] { return std::string("id"); };
  const auto set = store.current();
  const auto run = [&](const Value& before) {
    return set->Mutate({.object = before,
                        .name_space = {},
                        .username = {},
                        .source = "Original",
                        .operation = portcullis::mutation::Operation::kCreate},
                       options, arena);
  };
  std::string given;
  portcullis::mutation::AppendGoJson(object, &given);
  const auto once = run(object);
  std::string kept;
  portcullis::mutation::AppendGoJson(object, &kept);
  Check(kept == given);
  if (!once) {
    return;
  }
  const auto twice = run(once->object);
  Check(twice && !twice->mutated);
  std::string patch;
  const std::size_t count = portcullis::mutation::AppendJsonPatch(object, once->object, &patch);
  std::string after;
  portcullis::mutation::AppendGoJson(once->object, &after);
  const json operations = json::parse(patch);
  Check(operations.size() == count);
  Check(WithFloats(json::parse(given).patch(operations)) == WithFloats(json::parse(after)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string location(TakeLine(&text));
  const auto parsed = portcullis::mutation::ParseLocation(location);
  if (parsed) {
    const auto again = portcullis::mutation::ParseLocation(parsed->ToString());
    Check(!again || *again == *parsed);
  }
  ParseOptions options;
  options.max_depth = kDepth;
  Arena arena;
  const auto value = ParseJson(TakeLine(&text), arena, options);
  const auto object = ParseJson(text, arena, options);
  if (!value || !object || !object->is_object()) {
    return 0;
  }
  Arena of_object;
  portcullis::document::ObjectBuilder members(of_object);
  for (std::uint32_t i = 0; i < object->size(); ++i) {
    members.Add(object->KeyAt(i), object->ValueAt(i));
  }
  members.Add("apiVersion", Value::String("v1"));
  members.Add("kind", Value::String("Pod"));
  const Value pod = members.Finish();
  const json given = json::parse(portcullis::document::ToJson(*value), nullptr, false);
  const json before = json::parse(portcullis::document::ToJson(pod), nullptr, false);
  if (given.is_discarded() || before.is_discarded()) {
    return 0;  // Numbers beyond float64.
  }
  Mutate(Manifest("Assign", location, {{"assign", {{"value", given}}}}), pod);
  Mutate(
      Manifest("Assign", location,
               {{"assign", {{"value", given}}},
                {"pathTests", json::array({{{"subPath", location}, {"condition", "MustExist"}}})}}),
      pod);
  Mutate(Manifest("AssignMetadata", location, {{"assign", {{"value", given}}}}), pod);
  for (const char* operation : {"merge", "prune"}) {
    Mutate(Manifest("ModifySet", location,
                    {{"operation", operation}, {"values", {{"fromList", given}}}}),
           pod);
  }
  Mutate(
      Manifest("AssignImage", location,
               {{"assignDomain", "r.io"}, {"assignTag", given.is_string() ? given : json(":v1")}}),
      pod);
  return 0;
}
