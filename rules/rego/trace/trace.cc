#include "rules/rego/trace/trace.h"

#include <algorithm>
#include <utility>

#include "document/json.h"
#include "rules/rego/ast_json.h"
#include "rules/rego/trace/file_names.h"

namespace portcullis::rego::trace {
namespace {

constexpr std::size_t kRowBytes = 320;  // What a row takes beside its texts.
constexpr std::size_t kJsonGrowth = 4;  // JSON in lines takes so many times what it takes compact.
constexpr std::size_t kWidestPlace = 64;  // Longer names of files are cut.
constexpr std::size_t kGap = 5;

std::size_t CharactersIn(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string_view FileOf(const Location& location) {
  return location.file ? std::string_view(*location.file) : std::string_view();
}

}  // namespace

std::string_view NameOf(Op op) {
  switch (op) {
    case Op::kEnter:
      return "Enter";
    case Op::kExit:
      return "Exit";
    case Op::kEval:
      return "Eval";
    case Op::kRedo:
      return "Redo";
    case Op::kFail:
      return "Fail";
    case Op::kDuplicate:
      return "Duplicate";
    case Op::kNote:
      return "Note";
    case Op::kIndex:
      return "Index";
    case Op::kUnify:
      return "Unify";
  }
  return "";
}

bool Explanation::Add(const Event& event) {
  if (event.op == Op::kUnify && explain_ != Explain::kDebug) {
    return true;
  }
  const bool filters = explain_ == Explain::kNotes || explain_ == Explain::kFails;
  const bool matches = event.op == (explain_ == Explain::kNotes ? Op::kNote : Op::kFail);
  const bool enters = (event.op == Op::kEnter || event.op == Op::kRedo) &&
                      (event.kind == NodeKind::kRule || event.kind == NodeKind::kBody);
  if (filters && !matches && !enters) {
    return true;
  }
  Row row{.op = event.op,
          .kind = event.kind,
          .query_id = event.query_id,
          .parent_id = event.parent_id,
          .location = event.location,
          .text = nullptr,
          .subject = nullptr,
          .values = {},
          .names = {},
          .message = std::string(event.message)};
  if (event.node != nullptr) {
    const void* identity = event.node->identity();
    std::shared_ptr<const std::string>& known = texts_[identity];
    if (identity == nullptr || known == nullptr) {
      known = std::make_shared<const std::string>(Of(*event.node));
      bytes_ += known->size() + kRowBytes;
    }
    row.text = known;
  }
  if (event.subject != nullptr) {
    row.subject = std::make_shared<const std::string>(Of(*event.subject));
  }
  if (form_ == Form::kJson && event.locals != nullptr) {
    row.values = event.locals->ValuesJson();
    row.names = event.locals->NamesJson();
  }
  auto kept = std::make_shared<const Row>(std::move(row));
  if (!filters) {
    return Keep(std::move(kept));
  }
  bytes_ += enters ? kept->size() : 0;
  if (matches) {
    // What leads to it, outermost first, is shown once.
    std::vector<std::shared_ptr<const Row>> path = {kept};
    const Row* last = nullptr;
    for (auto at = entered_.find(event.query_id); at != entered_.end() && at->second.get() != last;
         at = entered_.find(last->parent_id)) {
      path.push_back(at->second);
      last = at->second.get();
    }
    entered_.clear();
    for (auto at = path.rbegin(); at != path.rend(); ++at) {
      if (!Keep(*at)) {
        return false;
      }
    }
  }
  if (enters) {
    entered_[event.query_id] = std::move(kept);
  }
  return bytes_ <= limit_bytes_;
}

std::size_t Explanation::Row::size() const {
  return kRowBytes + (text == nullptr ? 0 : text->size()) +
         (subject == nullptr ? 0 : subject->size()) + values.size() + names.size() + message.size();
}

std::string Explanation::Of(const Node& node) const {
  return form_ == Form::kJson ? node.Json() : node.Text();
}

bool Explanation::Keep(std::shared_ptr<const Row> row) {
  bytes_ += row->size() * (form_ == Form::kJson ? kJsonGrowth : 1);
  if (bytes_ > limit_bytes_) {
    return false;
  }
  rows_.push_back(std::move(row));
  return true;
}

std::string Explanation::LineOf(const Row& row, std::size_t depth, Quotes quotes) const {
  const bool outer = row.op == Op::kEnter || (row.op == Op::kRedo && row.kind != NodeKind::kExpr);
  std::string line;
  for (std::size_t i = 1; i < depth + (outer ? 0 : 1); ++i) {
    line += "| ";
  }
  line += NameOf(row.op);
  line += ' ';
  if (row.op == Op::kNote) {
    if (quotes == Quotes::kEscaped) {
      document::AppendRegoString(row.message, &line);
    } else {
      line += '"' + row.message + '"';
    }
    return line;
  }
  line += row.subject != nullptr ? *row.subject : *row.text;
  if (!row.message.empty()) {
    line += ' ' + row.message;
  }
  return line;
}

std::string Explanation::Text(Places places, Quotes quotes) const {
  const std::map<std::string_view, std::string> names = ShortNames();
  std::unordered_map<std::uint64_t, std::size_t> depths;
  std::vector<std::pair<std::string, std::string>> lines;
  std::size_t width = 0;
  for (const std::shared_ptr<const Row>& row : rows_) {
    std::size_t depth = depths[row->query_id];
    if (depth == 0) {
      depth = depths[row->parent_id] + 1;
      depths[row->query_id] = depth;
    }
    std::string place;
    if (places == Places::kShow && row->location.row != 0) {
      const std::string_view file = FileOf(row->location);
      place = (file.empty() ? "query" : names.at(file)) + ":" + std::to_string(row->location.row);
    }
    width = std::max(width, place.size());
    lines.emplace_back(std::move(place), LineOf(*row, depth, quotes));
  }
  std::string text;
  for (const auto& [place, line] : lines) {
    if (places == Places::kShow) {
      text += place;
      const std::size_t wide = CharactersIn(place);
      text.append(wide < width + kGap - 1 ? width + kGap - 1 - wide : 0, ' ');
      text += ' ';
    }
    text += line;
    text += '\n';
  }
  return text;
}

std::string Explanation::Json() const {
  std::string json = "[";
  for (const std::shared_ptr<const Row>& row : rows_) {
    const auto or_null = [](const std::string& text) { return text.empty() ? "null" : text; };
    json += json.size() > 1 ? "," : "";
    json += R"({"Op":")" + std::string(NameOf(row->op)) + R"(","Node":)";
    json += row->text != nullptr ? *row->text : "null";
    json += R"(,"Location":)" + ToJson(row->location);
    json += R"(,"QueryID":)" + std::to_string(row->query_id);
    json += R"(,"ParentID":)" + std::to_string(row->parent_id);
    json += R"(,"Locals":)" + or_null(row->values);
    json += R"(,"LocalMetadata":)" + or_null(row->names);
    json += R"(,"Message":)";
    document::AppendJsonString(row->message, document::JsonStyle::kGo, &json);
    json += R"(,"Ref":)";
    json += row->subject != nullptr ? *row->subject : "null";
    json += '}';
  }
  return json + "]";
}

// What is shown for each file: where places would be too wide, the parts in the middle that all have are left out.
std::map<std::string_view, std::string> Explanation::ShortNames() const {
  std::map<std::string_view, std::string> names;
  std::size_t longest = 0;
  for (const std::shared_ptr<const Row>& row : rows_) {
    if (row->location.row != 0) {
      const std::string_view file = FileOf(row->location);
      const std::size_t name = file.empty() ? std::string_view("query").size() : file.size();
      longest = std::max(longest, name + std::to_string(row->location.row).size() + 1);
      if (!file.empty()) {
        names.emplace(file, file);
      }
    }
  }
  if (longest > kWidestPlace && !names.empty()) {
    Shorten(names, longest, kWidestPlace);
  }
  return names;
}

}  // namespace portcullis::rego::trace
