// The lines a benchmark prints.
#ifndef RM_TOOLS_BENCH_REPORT_H_
#define RM_TOOLS_BENCH_REPORT_H_

#include <string>
#include <vector>

#include "base/json.h"

namespace rm::bench {

// Median, least and greatest of repeated measurements. REQUIRES: not empty.
struct Spread {
  double median = 0;
  double least = 0;
  double greatest = 0;
};
[[nodiscard]] Spread SpreadOf(std::vector<double> values);

// Adds what every line carries: machine (CPU, cores, ISA), date, version.
void AddCircumstances(base::Json& line);

// One line: JSON with `json`, else "key value  key value …" for people.
void PrintLine(const base::Json& line, bool json);

}  // namespace rm::bench

#endif  // RM_TOOLS_BENCH_REPORT_H_
