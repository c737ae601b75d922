#include "scheduler/policy/fifo.h"

namespace rm::scheduler {

int64_t FifoRank(const Job& /*job*/) { return 0; }

}  // namespace rm::scheduler
