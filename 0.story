accept	silent	0.020	the program listens on port 38409
accept	silent	0.020	client A connected
accept	silent	0.020	client A stays silent
accept	silent	0.023	client B connected
accept	silent	0.085	client B sent 5 bytes
accept	silent	0.086	client B received its echo
accept	silent	0.086	client C connected
accept	silent	3.639	client C was not accepted while client A is silent; the program is blocked in recv on client A (descriptor 4)
accept	reset	0.048	the program listens on port 36925
accept	reset	0.048	client A connected
accept	reset	0.048	client B connected
accept	reset	0.061	client A sent 5 bytes
accept	reset	1.043	client A did not get its echo; the program is blocked in recv on client B (descriptor 5)
accept	descriptors	0.006	the program listens on port 40633
accept	descriptors	0.006	a client connected
accept	descriptors	0.019	a client connected
accept	descriptors	3.459	client 2 was not accepted; the program is blocked in recv on a client (descriptor 4)
accept	crowd	0.028	the program listens on port 42191
accept	crowd	0.029	a client connected
accept	crowd	0.029	a client connected
accept	crowd	0.029	a client connected
accept	crowd	0.029	a client connected
accept	crowd	0.029	a client connected
accept	crowd	0.029	a client connected
accept	crowd	0.029	a client connected
accept	crowd	0.029	a client connected
accept	crowd	0.029	a client connected
accept	crowd	0.029	a client connected
accept	crowd	0.029	a client connected
accept	crowd	0.029	a client connected
accept	crowd	0.284	a client sent 5 bytes
accept	crowd	0.284	a client sent 5 bytes
accept	crowd	0.284	a client sent 5 bytes
accept	crowd	0.284	a client sent 5 bytes
accept	crowd	0.284	a client sent 5 bytes
accept	crowd	0.284	a client sent 5 bytes
accept	crowd	0.284	a client sent 5 bytes
accept	crowd	0.284	a client sent 5 bytes
accept	crowd	0.284	a client sent 5 bytes
accept	crowd	0.284	a client sent 5 bytes
accept	crowd	0.284	a client sent 5 bytes
accept	crowd	0.284	a client sent 5 bytes
accept	crowd	0.285	a client received its echo
accept	crowd	0.286	a client received its echo
accept	crowd	0.286	a client received its echo
accept	crowd	0.287	a client received its echo
accept	crowd	0.287	a client received its echo
accept	crowd	0.288	a client received its echo
accept	crowd	0.288	a client received its echo
accept	crowd	0.288	a client received its echo
accept	crowd	0.289	a client received its echo
accept	crowd	0.289	a client received its echo
accept	crowd	0.290	a client received its echo
accept	crowd	0.290	a client received its echo
accept	crowd	0.290	every second client left
accept	crowd	0.290	a client sent 5 bytes
accept	crowd	1.873	a client who stayed did not get its echo; the program is blocked in recv on a client (descriptor 15)
