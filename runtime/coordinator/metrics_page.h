// What /metrics shows: the cluster, the scheduler, and what the ranks say, in Prometheus' format.
#ifndef RM_RUNTIME_COORDINATOR_METRICS_PAGE_H_
#define RM_RUNTIME_COORDINATOR_METRICS_PAGE_H_

#include <string>

#include "runtime/coordinator/coordinator.h"

namespace rm::coordinator {

// On the coordinator's thread. Names and labels are those of docs: `ringmaster_…`, base units;
// labels never hold a step or a sample.
[[nodiscard]] std::string MetricsPage(Coordinator& coordinator);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_METRICS_PAGE_H_
