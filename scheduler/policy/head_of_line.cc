#include "scheduler/policy/head_of_line.h"

namespace rm::scheduler {

const Job* HeadOfLine(const PassView& view) {
  if (view.blocked != nullptr) return nullptr;
  return view.last == nullptr ? view.state.queue().First() : view.state.queue().After(*view.last);
}

}  // namespace rm::scheduler
