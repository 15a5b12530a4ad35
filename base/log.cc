#include "base/log.h"

#include <chrono>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace portcullis {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

void AppendQuoted(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (c == '\n') {
      *out += "\\n";
    } else if (byte < 0x20) {
      fmt::format_to(std::back_inserter(*out), "\\u{:04x}", byte);
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

}  // namespace

Logger::Logger(std::shared_ptr<spdlog::logger> sink, std::string name)
    : sink_(std::move(sink)), name_(std::move(name)) {}

std::shared_ptr<Logger> Logger::Create(LogLevel level, const std::string& file) {
  spdlog::sink_ptr sink;
  if (file.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
  }
  auto logger = std::make_shared<spdlog::logger>("portcullis", std::move(sink));
  logger->set_pattern("%v");
  logger->set_level(ToSpdlog(level));
  logger->flush_on(spdlog::level::info);
  return std::shared_ptr<Logger>(new Logger(std::move(logger), ""));
}

std::shared_ptr<Logger> Logger::Silent() {
  auto logger =
      std::make_shared<spdlog::logger>("silent", std::make_shared<spdlog::sinks::null_sink_mt>());
  logger->set_level(spdlog::level::off);
  return std::shared_ptr<Logger>(new Logger(std::move(logger), ""));
}

std::shared_ptr<Logger> Logger::Named(std::string name) const {
  return std::shared_ptr<Logger>(new Logger(sink_, std::move(name)));
}

void Logger::Write(LogLevel level, std::string_view message,
                   std::span<const LogField> fields) const {
  if (!sink_->should_log(ToSpdlog(level))) {
    return;
  }
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::string line = fmt::format(R"({{"level":"{}","ts":{:.6f})", LevelName(level), now);
  if (!name_.empty()) {
    line += ",\"logger\":";
    AppendQuoted(name_, &line);
  }
  line += ",\"msg\":";
  AppendQuoted(message, &line);
  for (const LogField& field : fields) {
    line += ',';
    AppendQuoted(field.key, &line);
    line += ':';
    std::visit(
        [&line](const auto& value) {
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string_view>) {
            AppendQuoted(value, &line);
          } else if constexpr (std::is_same_v<std::decay_t<decltype(value)>, JsonText>) {
            line += value.text;
          } else {
            fmt::format_to(std::back_inserter(line), "{}", value);
          }
        },
        field.value);
  }
  line += '}';
  sink_->log(ToSpdlog(level), line);
}

}  // namespace portcullis
