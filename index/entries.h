// The index entries of one object. Inside index/ only.

#pragma once

#include <string>
#include <vector>

#include "document/arena.h"
#include "document/value.h"
#include "index/definition.h"
#include "index/inventory.h"
#include "index/key_program.h"

namespace portcullis::index {

// The entry prefixes (store/entry_key.h) under which `object` is found in the index, sorted, none twice; of an undefined object
// none. `program` is that of a definition with one, else null. Temporary values go to `arena`.
void EntryPrefixes(IndexId index, const Definition& definition, const KeyProgram* program,
                   const document::Value& object, document::Arena& arena,
                   std::vector<std::string>* prefixes);

// The prefix of the entry of objects whose keys cannot be told.
void AppendUnknownPrefix(IndexId index, std::string* out);

}  // namespace portcullis::index
