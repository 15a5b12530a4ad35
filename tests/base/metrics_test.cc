#include "base/metrics.h"

#include <string>

#include <gtest/gtest.h>

namespace portcullis {
namespace {

TEST(MetricsTest, GivesTheSameSeriesForTheSameNameAndLabels) {
  Metrics metrics;
  metrics.GetCounter("reviews_total", "Reviews.", {{"verdict", "deny"}}).Increment();
  metrics.GetCounter("reviews_total", "Reviews.", {{"verdict", "deny"}}).Increment(2);
  EXPECT_EQ(metrics.GetCounter("reviews_total", "Reviews.", {{"verdict", "deny"}}).value(), 3);
  EXPECT_EQ(metrics.GetCounter("reviews_total", "Reviews.", {{"verdict", "allow"}}).value(), 0);
}

TEST(MetricsTest, SetsAndAddsToAGauge) {
  Metrics metrics;
  Gauge& gauge = metrics.GetGauge("objects", "Objects.");
  gauge.Set(10);
  gauge.Add(-3);
  EXPECT_EQ(gauge.value(), 7);
}

TEST(MetricsTest, PrintsThePrometheusText) {
  Metrics metrics;
  metrics.GetCounter("a_total", "What a counts.", {{"kind", "Ingress"}}).Increment(5);
  metrics.GetHistogram("seconds", "How long.", {0.1, 1}).Observe(0.5);
  const std::string text = metrics.ToText();
  for (const std::string line :
       {"# HELP a_total What a counts.\n", "# TYPE a_total counter\n",
        "a_total{kind=\"Ingress\"} 5\n", "# TYPE seconds histogram\n",
        "seconds_bucket{le=\"0.1\"} 0\n", "seconds_bucket{le=\"1\"} 1\n",
        "seconds_bucket{le=\"+Inf\"} 1\n", "seconds_sum 0.5\n", "seconds_count 1\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

}  // namespace
}  // namespace portcullis
