#include "mutation/mutation_id.h"

#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_generators.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace portcullis::mutation {

std::string NewMutationId() {
  return boost::uuids::to_string(boost::uuids::random_generator()());
}

}  // namespace portcullis::mutation
