#include "base/metrics.h"

#include <mutex>
#include <sstream>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace portcullis {
namespace {

class CounterSeries final : public Counter {
 public:
  explicit CounterSeries(prometheus::Counter& counter) : counter_(counter) {}
  void Increment(double by) override { counter_.Increment(by); }
  [[nodiscard]] double value() const override { return counter_.Value(); }

 private:
  prometheus::Counter& counter_;
};

class GaugeSeries final : public Gauge {
 public:
  explicit GaugeSeries(prometheus::Gauge& gauge) : gauge_(gauge) {}
  void Set(double value) override { gauge_.Set(value); }
  void Add(double by) override { gauge_.Increment(by); }
  [[nodiscard]] double value() const override { return gauge_.Value(); }

 private:
  prometheus::Gauge& gauge_;
};

class HistogramSeries final : public Histogram {
 public:
  explicit HistogramSeries(prometheus::Histogram& histogram) : histogram_(histogram) {}
  void Observe(double value) override { histogram_.Observe(value); }

 private:
  prometheus::Histogram& histogram_;
};

using SeriesKey = std::pair<std::string, Labels>;

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;
  std::mutex mutex;
  // Guarded by mutex:
  std::map<SeriesKey, std::unique_ptr<Counter>> counters;
  std::map<SeriesKey, std::unique_ptr<Gauge>> gauges;
  std::map<SeriesKey, std::unique_ptr<Histogram>> histograms;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::GetCounter(const std::string& name, const std::string& help,
                             const Labels& labels) {
  const std::lock_guard lock(state_->mutex);
  auto& series = state_->counters[{name, labels}];
  if (!series) {
    auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry);
    series = std::make_unique<CounterSeries>(family.Add(labels));
  }
  return *series;
}

Gauge& Metrics::GetGauge(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(state_->mutex);
  auto& series = state_->gauges[{name, labels}];
  if (!series) {
    auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry);
    series = std::make_unique<GaugeSeries>(family.Add(labels));
  }
  return *series;
}

Histogram& Metrics::GetHistogram(const std::string& name, const std::string& help,
                                 const std::vector<double>& upper_bounds, const Labels& labels) {
  const std::lock_guard lock(state_->mutex);
  auto& series = state_->histograms[{name, labels}];
  if (!series) {
    auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(state_->registry);
    series = std::make_unique<HistogramSeries>(family.Add(labels, upper_bounds));
  }
  return *series;
}

std::string Metrics::ToText() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, state_->registry.Collect());
  return out.str();
}

}  // namespace portcullis
