// A client of the coordinator's public API (proto/api.proto).
//
// Every call has a deadline; streams have none (but see Watch) and end when the callback says so,
// the server ends them, or Interrupt is called. Errors keep the code and message the coordinator
// gave, and an invalid job carries its violations (ViolationsOf). Three codes mean the connection:
//
//   Unavailable       no coordinator there, or it went away during the call, or it is ending; the
//                     message names the address and says what to do. Trying again is of use.
//   DeadlineExceeded  it did not answer in time
//   Cancelled         Interrupt was called; nothing else
#ifndef RM_RUNTIME_CLIENT_CLIENT_H_
#define RM_RUNTIME_CLIENT_CLIENT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
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
  // Dials lazily: the first call finds out whether anyone is there. `call_timeout` is the deadline
  // of calls that are not streams; that of Submit is longer by the wait it asks for, that of an
  // upload by a second for each MiB, and Verify may take an hour.
  explicit Client(const std::string& address, absl::Duration call_timeout = absl::Seconds(30));
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

  // The weights of the checkpoint of `step`, or of the newest that counts when it is 0: `head` is
  // called once, `data` with their bytes in order, on this thread. DataLoss: the checkpoint is
  // damaged, or the coordinator sent another message than it had announced; whatever else ends the
  // stream. Nothing that was handed out counts before this has returned OK.
  [[nodiscard]] absl::Status DownloadWeights(const std::string& job_id, int64_t step,
                                             absl::FunctionRef<void(const pb::WeightsHead&)> head,
                                             absl::FunctionRef<void(absl::string_view)> data);

  // The content of the artifact with this digest. DataLoss: what came has another one.
  [[nodiscard]] absl::StatusOr<std::string> DownloadArtifact(const std::string& sha256);

  // Puts the file at `path` onto the cluster's storage, unless a file of that content is there, and
  // returns the SHA-256 of its content: in a job it is named "artifact:<that>". The file is read
  // once to find its digest and, where it is missing, once more to send it. InvalidArgument: over
  // 2 GiB, or changed between the two; else the file's error, or the coordinator's. Calls for the
  // same file, from any number of clients, do not disturb each other.
  [[nodiscard]] absl::StatusOr<std::string> UploadArtifact(const std::string& path);

  // Streams: `each` is called for every message, on this thread; false ends the stream with OK. A
  // stream that the server ends by itself ends with OK as well.
  [[nodiscard]] absl::Status Watch(const std::string& job_id,
                                   absl::FunctionRef<bool(const pb::Job&)> each,
                                   absl::Duration timeout = absl::InfiniteDuration());
  [[nodiscard]] absl::Status Logs(const pb::LogsRequest& request,
                                  absl::FunctionRef<bool(const pb::LogLines&)> each);
  [[nodiscard]] absl::Status Events(const pb::EventsRequest& request,
                                    absl::FunctionRef<bool(const pb::JobEvent&)> each);

  // Ends every call and stream, present and later, with Cancelled. From any thread.
  void Interrupt();

 private:
  struct Core;
  // Sends a file whose digest is known and not on the storage.
  [[nodiscard]] absl::Status Send(const std::string& path, const std::string& sha256,
                                  uint64_t bytes);

  const std::string address_;
  const absl::Duration call_timeout_;
  const std::unique_ptr<Core> core_;
};

}  // namespace rm::client

#endif  // RM_RUNTIME_CLIENT_CLIENT_H_
