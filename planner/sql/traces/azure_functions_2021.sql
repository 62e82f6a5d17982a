-- Azure Functions invocation trace 2021: one row a call, app, func, end_timestamp and duration, CSV with header
--
-- Source: github.com/Azure/AzurePublicDataset, AzureFunctionsInvocationTrace2021.md. Seconds from the start of the trace,
-- which lasts two weeks from 2021-01-31; a call began at end_timestamp - duration, those that began before the trace count
-- in its first minute. A func's name is unique inside its app only. Memory is not told: the scenario must assume it
-- ([demand] assumed_memory_gib).

create temp table invocations (
    app varchar not null check (app <> ''),
    func varchar not null check (func <> ''),
    end_timestamp double not null check (end_timestamp between 0 and 2e9),
    duration double not null check (duration between 0 and 1e7)
);

create temp macro minute_of(second) as
    timestamp '2021-01-31 00:00:00' + to_minutes(cast(greatest(floor(second / 60), 0) as bigint));

insert into calls by name
select
    $trace_id as trace_id, app || '/' || func as workload, minute_of(end_timestamp - duration) as minute,
    count(*) as calls, exact_avg(duration) as seconds_per_call
from invocations
group by all;

-- Calls are recorded without a break from the first minute to the last.
insert into minutes by name
select $trace_id as trace_id, unnest(generate_series(a, b, interval 1 minute)) as minute
from (select min(minute) as a, max(minute) as b from calls where trace_id = $trace_id)
where a is not null;

insert into workloads by name
select
    $trace_id as trace_id, app || '/' || func as workload, 'function' as kind, app as application,
    exact_avg(duration) as seconds_per_request
from invocations
group by app, func;

insert into notes
select format('what the {} functions allocate is unknown: the scenario must assume their memory', count(*))
from workloads where trace_id = $trace_id having count(*) > 0;

insert into notes
select format('{} calls began before the recording; they count in its first minute', count(*))
from invocations where end_timestamp < duration having count(*) > 0;
