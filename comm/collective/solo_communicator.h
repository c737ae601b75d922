// The communicator of a gang of one: every sum is already there.
#ifndef RM_COMM_COLLECTIVE_SOLO_COMMUNICATOR_H_
#define RM_COMM_COLLECTIVE_SOLO_COMMUNICATOR_H_

#include <memory>

#include "comm/collective/communicator.h"

namespace rm::comm {

// No thread, no socket, no work.
[[nodiscard]] std::unique_ptr<Communicator> MakeSoloCommunicator();

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_SOLO_COMMUNICATOR_H_
