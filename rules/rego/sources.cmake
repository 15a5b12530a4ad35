# The front end (text to compiled policy), then the engine (plan and evaluation).
include("${CMAKE_CURRENT_LIST_DIR}/frontend.cmake" OPTIONAL)
include("${CMAKE_CURRENT_LIST_DIR}/engine.cmake" OPTIONAL)
set(rego_sources ${rego_frontend_sources} ${rego_engine_sources})
