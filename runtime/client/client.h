// A client of the coordinator's public API (proto/api.proto).
//
// Every call has a deadline; streams have none and end when the callback says so, the server ends them, or Interrupt is
// called. Errors keep the code the coordinator gave; Unavailable says which address did not answer and what to do, and an
// invalid job carries its violations (ViolationsOf).
#ifndef RM_RUNTIME_CLIENT_CLIENT_H_
#define RM_RUNTIME_CLIENT_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/api.pb.h"

namespace rm::client {

namespace pb = ::ringmaster::v1;

// One field the coordinator refused. `description` begins with "line:column: " when the request carried positions.
struct Violation {
  std::string field;
  std::string description;
};

// The violations that came with an error; empty when there are none.
[[nodiscard]] std::vector<Violation> ViolationsOf(const absl::Status& status);

// Thread-safe.
class Client {
 public:
  // Dials lazily: the first call finds out whether anyone is there.
  explicit Client(const std::string& address);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] const std::string& address() const { return address_; }

  [[nodiscard]] absl::StatusOr<pb::SubmitReply> Submit(const pb::SubmitRequest& request);
  [[nodiscard]] absl::StatusOr<pb::Job> Get(const std::string& job_id);
  [[nodiscard]] absl::StatusOr<pb::ListJobsReply> List(const pb::ListJobsRequest& request);
  [[nodiscard]] absl::StatusOr<pb::Job> Cancel(const std::string& job_id);
  [[nodiscard]] absl::StatusOr<pb::Job> Kill(const std::string& job_id);
  [[nodiscard]] absl::StatusOr<pb::Job> Pause(const std::string& job_id);
  [[nodiscard]] absl::StatusOr<pb::Job> Resume(const std::string& job_id);
  [[nodiscard]] absl::StatusOr<pb::Explanation> Explain(const std::string& job_id);
  [[nodiscard]] absl::StatusOr<pb::NodesReply> Nodes();
  [[nodiscard]] absl::StatusOr<pb::StatusReply> Status();
  [[nodiscard]] absl::StatusOr<pb::ListCheckpointsReply> ListCheckpoints(
      const std::string& job_id);
  // Reads the whole checkpoint: may take as long as the disk does.
  [[nodiscard]] absl::StatusOr<pb::VerifyReply> Verify(const std::string& job_id, int64_t step);

  // Streams: `each` is called for every message; false ends the stream with OK. Cancelled after Interrupt.
  [[nodiscard]] absl::Status Watch(const std::string& job_id,
                                   absl::FunctionRef<bool(const pb::Job&)> each,
                                   absl::Duration timeout = absl::InfiniteDuration());
  [[nodiscard]] absl::Status Logs(const pb::LogsRequest& request,
                                  absl::FunctionRef<bool(const pb::LogLines&)> each);
  [[nodiscard]] absl::Status Events(const pb::EventsRequest& request,
                                    absl::FunctionRef<bool(const pb::JobEvent&)> each);

  // Ends every call and stream, present and later, with Cancelled.
  void Interrupt();

 private:
  struct Core;
  const std::string address_;
  std::unique_ptr<Core> core_;
};

}  // namespace rm::client

#endif  // RM_RUNTIME_CLIENT_CLIENT_H_
