#include "webhook/handler_support.h"

namespace portcullis::webhook {

std::vector<double> RequestDurationBounds() {
  std::vector<double> bounds;
  for (int i = 1; i <= 9; ++i) {
    bounds.push_back(i / 1000.0);
  }
  for (int i = 1; i <= 9; ++i) {
    bounds.push_back(i / 100.0);
  }
  for (int i = 1; i <= 10; ++i) {
    bounds.push_back(i / 10.0);
  }
  for (int i = 3; i <= 20; ++i) {
    bounds.push_back(i / 2.0);
  }
  return bounds;
}

}  // namespace portcullis::webhook
