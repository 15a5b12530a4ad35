// Counters, gauges and histograms under Prometheus' names, and the text that /metrics serves.
//
// A family is asked for by name and kept by whoever updates it; labels make a series. Asking again for a name gives the
// same family. THREADS: everything here may be used from any thread. LIFETIME: series live as long as the Metrics.

#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace portcullis {

using Labels = std::map<std::string, std::string>;

class Counter {
 public:
  virtual ~Counter() = default;
  virtual void Increment(double by = 1) = 0;
  [[nodiscard]] virtual double value() const = 0;
};

class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void Set(double value) = 0;
  virtual void Add(double by) = 0;
  [[nodiscard]] virtual double value() const = 0;
};

class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void Observe(double value) = 0;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // COST: a lock and a map look-up: keep the reference, do not ask on the hot path.
  Counter& GetCounter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& GetGauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram& GetHistogram(const std::string& name, const std::string& help,
                          const std::vector<double>& upper_bounds, const Labels& labels = {});

  // The Prometheus text exposition format, version 0.0.4.
  [[nodiscard]] std::string ToText() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis
