-- Prometheus: results of query_range and query as JSON (matrix, vector), of cAdvisor, node_exporter and others; or a server by URL
--
-- Layout: prometheus.io, HTTP API: {"status":"success","data":{"resultType":"matrix","result":[{"metric":{..},"values":
-- [[seconds, "value"], ..]}]}}; vector has one "value". Also a list of answers, an answer's data or result alone, and lines of
-- VictoriaMetrics' /api/v1/export, {"metric":{..},"values":[..],"timestamps":[milliseconds, ..]}. Values NaN and Inf are rejected rows. A series is told apart by
-- its name and labels:
--   container_cpu_usage_seconds_total                  counter of a container's (or pod's) CPU seconds -> cores
--   container_memory_working_set_bytes                 gauge; else .._usage_bytes, .._rss
--   container_network_{receive,transmit}_bytes_total, container_fs_{reads,writes}_bytes_total   counters of a pod
--   kube_pod_container_resource_requests{resource=..}  what is allocated; also .._requests_cpu_cores, .._memory_bytes
--   node_cpu_seconds_total                             counter by mode and cpu; all modes but idle and iowait are use;
--                                                      where only those are told, what they leave of each cpu is
--   node_memory_{MemTotal,MemAvailable,MemFree,Buffers,Cached}_bytes, node_network_.., node_disk_..   of a machine
--   process_cpu_seconds_total, process_resident_memory_bytes, http_requests_total   of whatever has been instrumented
-- A recording rule (level:metric:operations) is what its metric is; a counter only where no rate was taken. A result
-- without a name (rate(..), sum by (pod) (..)) is known by its file's name, a rule of no known metric by its own: see
-- macro heard. Metrics of none of these are told in a note.
-- A workload is namespace/pod where there are pods, instance/name where cAdvisor tells of Docker, else job/instance; nodes are named by their instance. Where several
-- clusters (label cluster, as Thanos and Mimir add it) have one of a name, it is cluster/namespace/pod. Labels exported_.. are the series' own, those beside them are of the target that was scraped for it (honor_labels: false).
-- Where pods tell their CPU and memory, the machines that they are known to run on (by label node, or the address of the
-- kubelet or of cAdvisor) are no demand of their own: what they use is what the pods use.
-- Replicas of one Prometheus (prometheus_replica, __replica__, ..) tell the same series, which counts once. So do a second
-- scrape of a kubelet (another job), a second kube-state-metrics, and a container's starts one after the other (another id,
-- name or node), which a server shows side by side for up to five minutes: one container of a pod is never there twice.

create temp table points (
    labels varchar not null,
    second double not null check (second between 0 and 4102444800),
    value double not null check (value between 0 and 1e18)
);
comment on table points is '{"named": true, "needed": true, "keys": ["status|resultType|metric", "data|result|values|value"]}';

-- What a document is its beginning tells: answers are large, and to parse one for its keys takes as much memory again.
create temp view points_in_document as
with told as (
    select body as one from document where not starts_with(ltrim(body), '[')
    union all
    select unnest(from_json(body, '["JSON"]')) from document where starts_with(ltrim(body), '[')
),
known as (
    select one, regexp_extract(left(one, 100), '^\s*\{\s*"(\w+)"', 1) as first_key,
        first_key in ('metric', 'values', 'timestamps') and contains(one, '"timestamps"') as is_export
    from told
),
answers as (
    select from_json(
        case when first_key in ('resultType', 'result') then json_object('data', one)
            when first_key in ('metric', 'value', 'values') then json_object('data', json_object('result', json_array(one)))
            else one end,
        '{"data":{"result":[{"metric":"JSON","values":[["VARCHAR"]],"value":["VARCHAR"]}]}}') as r
    from known where not is_export
),
series as (select unnest(r.data.result) as s from answers),
pairs as (select cast(s.metric as varchar) as labels, unnest(coalesce(s.values, [s.value])) as pair from series),
exported as (
    select from_json(one, '{"metric":"JSON","values":["VARCHAR"],"timestamps":["DOUBLE"]}') as s
    from known where is_export
)
select labels, pair[1] as second, pair[2] as value from pairs where pair is not null and labels is not null
union all
select cast(s.metric as varchar), cast(unnest(s.timestamps) / 1000 as varchar), unnest(s.values)
from exported where s.metric is not null;

-- What a server says beside its answer: of Thanos that stores were missing, of VictoriaMetrics that the answer is partial.
create temp table warnings (warning varchar not null);
comment on table warnings is '{"named": true, "aside": true, "keys": ["status|resultType|metric", "data|result|values|value"]}';

create temp view warnings_in_document as
with told as (
    select unnest(objects_of(body)) as one from document where contains(body, '"warnings"') or contains(body, '"isPartial"')
)
select unnest(from_json(one->'warnings', '["VARCHAR"]')) as warning from told
union all
select 'the answer is partial (isPartial)' from told where one->>'isPartial' = 'true';

-- Answers without a series say why.
create temp table refusals (reason varchar);
comment on table refusals is '{"keys": ["status"], "silent": true}';

create temp view refusals_in_document as
select case
    when body->>'status' = 'error' then 'holds an error instead of series: ' || concat_ws(': ', body->>'errorType', body->>'error')
    when body->'data'->>'resultType' in ('scalar', 'string')
        then format('holds a {}, which is no series; ask for what has labels', body->'data'->>'resultType')
    else 'holds no series: the query found none in that time' end as reason
from document
where (body->>'status' = 'error' and body->>'error' is not null) or body->'data'->>'resultType' in ('scalar', 'string')
    or (body->>'status' = 'success' and json_array_length(body->'data'->'result') = 0);

-- What tells replicas of a Prometheus apart; plain "replica" may be an application's own, unless a target is named.
create temp macro without_replica(labels, has_target) as case when not contains(labels, 'replica') then labels
    else cast(json_merge_patch(cast(labels as json), cast('{"prometheus_replica":null,"thanos_replica":null,'
        || '"thanos_ruler_replica":null,"rule_replica":null,"__replica__":null' || case when has_target then ',"replica":null' else '' end
        || '}' as json)) as varchar) end;

create temp table series as
with labelled as (
    select distinct
        file, labels, labels->>'exported_pod' as own_pod, labels->>'exported_namespace' as own_namespace,
        labels->>'exported_container' as own_container,
        coalesce(labels->>'namespace', labels->>'kubernetes_namespace', labels->>'container_label_io_kubernetes_pod_namespace')
            as namespace,
        coalesce(labels->>'pod', labels->>'pod_name', labels->>'kubernetes_pod_name',
            labels->>'container_label_io_kubernetes_pod_name') as pod,
        coalesce(labels->>'container', labels->>'container_name', labels->>'container_label_io_kubernetes_container_name')
            as container,
        coalesce(labels->>'exported_instance', labels->>'instance', labels->>'node', labels->>'nodename',
            labels->>'kubernetes_node') as instance
    from (select distinct file, labels from points)
)
select
    file, labels, without_replica(labels, coalesce(own_pod, pod, instance) is not null) as told,
    regexp_replace(file, '^.*/|[.][0-9]+$', '', 'g') as query,
    coalesce(labels->>'__name__', '') as metric,
    case when own_pod is null and pod is not null then coalesce(namespace, own_namespace)
        else coalesce(own_namespace, namespace) end as namespace,
    coalesce(own_pod, pod) as pod,
    case when own_pod is not null then own_container else coalesce(container, own_container) end as container,
    instance, coalesce(labels->>'exported_job', labels->>'job', labels->>'service', labels->>'app') as job,
    nullif(coalesce(labels->>'cluster', labels->>'k8s_cluster_name', labels->>'cluster_name', labels->>'cluster_id'), '') as cluster,
    case when labels->>'__name__' like 'container\_%' escape '\' and coalesce(own_pod, pod) is null then nullif(labels->>'name', '') end
        as docker,
    coalesce(labels->>'container_label_com_docker_swarm_service_name', labels->>'container_label_com_docker_compose_service')
        as service,
    labels->>'mode' as mode, labels->>'cpu' as cpu, labels->>'resource' as resource,
    coalesce(labels->>'device', labels->>'interface', '') as device, coalesce(labels->>'id', '') as cgroup,
    metric like 'container\_%' escape '\' and coalesce(own_pod, pod) is null and docker is null and cgroup <> '' as is_of_machine
from labelled;

-- What each series says: our measure, and whether it counts up. Of several a workload's measure takes the lowest rank.
create temp table meanings as
select * from (values
    ('container_cpu_usage_seconds_total', 'pod', 'cpu_cores', true, 1),
    ('container_memory_working_set_bytes', 'pod', 'memory_gib', false, 1),
    ('container_memory_usage_bytes', 'pod', 'memory_gib', false, 2),
    ('container_memory_rss', 'pod', 'memory_gib', false, 3),
    ('container_network_receive_bytes_total', 'pod', 'network_in_mib_per_s', true, 1),
    ('container_network_transmit_bytes_total', 'pod', 'network_out_mib_per_s', true, 1),
    ('container_fs_reads_bytes_total', 'pod', 'disk_read_mib_per_s', true, 1),
    ('container_fs_writes_bytes_total', 'pod', 'disk_write_mib_per_s', true, 1),
    ('kube_pod_container_resource_requests', 'pod', 'requests', false, 1),
    ('kube_pod_container_resource_requests_cpu_cores', 'pod', 'allocated_cpu_cores', false, 2),
    ('kube_pod_container_resource_requests_memory_bytes', 'pod', 'allocated_memory_gib', false, 2),
    ('node_cpu_seconds_total', 'node', 'cpu_cores', true, 1),
    ('node_cpu', 'node', 'cpu_cores', true, 2),
    ('node_memory_MemTotal_bytes', 'node', 'total', false, 1),
    ('node_memory_MemAvailable_bytes', 'node', 'available', false, 1),
    ('node_memory_MemFree_bytes', 'node', 'free', false, 1),
    ('node_memory_Buffers_bytes', 'node', 'free', false, 1),
    ('node_memory_Cached_bytes', 'node', 'free', false, 1),
    ('node_network_receive_bytes_total', 'node', 'network_in_mib_per_s', true, 1),
    ('node_network_transmit_bytes_total', 'node', 'network_out_mib_per_s', true, 1),
    ('node_disk_read_bytes_total', 'node', 'disk_read_mib_per_s', true, 1),
    ('node_disk_written_bytes_total', 'node', 'disk_write_mib_per_s', true, 1),
    ('node_disk_reads_completed_total', 'node', 'disk_iops', true, 1),
    ('node_disk_writes_completed_total', 'node', 'disk_iops', true, 1),
    ('process_cpu_seconds_total', 'process', 'cpu_cores', true, 3),
    ('process_resident_memory_bytes', 'process', 'memory_gib', false, 4),
    ('http_requests_total', 'process', 'requests_per_s', true, 1)
) as t(metric, scope, measure, counts, rank);

create temp macro unit_of(measure) as case
    when measure like '%memory_gib' or measure in ('total', 'available', 'free') then 1073741824.0
    when measure like '%_mib_per_s' then 1048576.0 else 1.0 end;

-- What words say that stand for a metric: a measure, 'nothing' where they speak of what is not planned by, null where
-- they do not speak of resources at all. The first line that they match counts.
create temp macro worded(name) as trim(regexp_replace(lower(name), '[^a-z0-9]+', ' ', 'g'));
create temp macro of_cpu(words) as regexp_matches(words, 'cpu|\bcores\b');
create temp macro of_memory(words) as regexp_matches(words, 'memory|\bmem(\b|us)|working set|\brss\b');
create temp macro of_receiving(words) as regexp_matches(words, 'receive|\brx\b|\bin\b|ingress');
create temp macro of_sending(words) as regexp_matches(words, 'transmit|\btx\b|\bout\b|egress|sent');
create temp macro heard(words) as case
    when not of_cpu(words) and not of_memory(words)
        and not regexp_matches(words, 'bytes|network|disk|\bfs\b|request|\b(rps|qps|ops|iops)\b') then null
    when regexp_matches(words, '\bnum cpus?\b|\bcpu count\b|^count\b.*\bcpu\b') then 'allocated_cpu_cores'
    when regexp_matches(words, '\b(duration|latency)[a-z ]* count\b') then 'requests_per_s'
    when regexp_matches(words, 'limit|quota|throttl|\bload[0-9]|\bdrop|\berrors?\b|\bfail(ed|ures?)\b|packet|io time|'
        || 'increase|duration|latency|quantile|burnrate|availability|in ?flight|response size|swap|memory (cache|mapped)') then 'nothing'
    when regexp_matches(words, 'percent|\bpct\b|\bratio\b|utili[sz]|^(1|100) .*(idle|available|free)')
        then case when of_memory(words) then 'memory_percent' when of_cpu(words) then 'cpu_percent' else 'nothing' end
    when regexp_matches(words, 'idle|available|\bfree\b|memfree') and not contains(words, 'memtotal') then 'nothing'
    when regexp_matches(words, 'resource requests?\b|\b(cpu|cores|memory|mem) requests?\b|\brequest(s|ed)? (cpu|cores|memory|mem)\b')
        then case when regexp_matches(words, 'usage|used|working set|\brss\b') then 'nothing' else 'requests' end
    when regexp_matches(words, 'network|\bnet (in|out|rx|tx|bytes)\b|\b[rt]x\b|\b(receive|transmit)(d|ted)? bytes|'
        || 'bytes (received|transmitted|sent)\b')
        then case when regexp_matches(words, '\bbits?\b|\bbps\b') then 'nothing'
            when of_receiving(words) and of_sending(words) then 'nothing'
            when of_receiving(words) then 'network_in_mib_per_s'
            when of_sending(words) then 'network_out_mib_per_s' else 'nothing' end
    when regexp_matches(words, '\biops\b|disk (reads?|writes?) completed') then 'disk_iops'
    when regexp_matches(words, 'disk|filesystem|\bfs\b')
        then case when not regexp_matches(words, 'bytes|throughput') or regexp_matches(words, 'read.*writ|writ.*read') then 'nothing'
            when contains(words, 'read') then 'disk_read_mib_per_s'
            when contains(words, 'writ') then 'disk_write_mib_per_s' else 'nothing' end
    when of_memory(words) then 'memory_gib'
    when of_cpu(words) then 'cpu_cores'
    when regexp_matches(words, 'request|\b(rps|qps|ops)\b')
        then case when contains(words, 'bytes') then 'nothing' else 'requests_per_s' end
    else 'memory_gib' end;
create temp macro is_rule(metric) as metric = '' or contains(metric, ':');
create temp macro is_share(measure) as coalesce(measure in ('cpu_percent', 'memory_percent'), false);

-- Each metric and file once: what it means. A rule's shares, and what it makes nothing of, go before its metric.
create temp table meant as
with words_of as (
    select *, worded(metric) as of_metric, heard(of_metric) as by_metric, worded(query) as of_query, heard(of_query) as by_query
    from (select distinct metric, query from series)
),
named as (
    select
        s.metric, s.query, m.metric as known, m.measure, m.scope, m.rank, m.counts, s.metric = m.metric as exact,
        case when by_metric is not null then of_metric else of_query end as words, coalesce(by_metric, by_query) as heard
    from words_of s
    left join meanings m on s.metric = m.metric or (contains(s.metric, ':')
        and list_has_any(string_split(s.metric, ':'), [m.metric, regexp_replace(m.metric, '_total$', '')]))
    qualify row_number() over (partition by s.metric, s.query order by m.rank, m.metric) = 1
)
select
    metric, query, words, known,
    case when contains(metric, ':node_') then 'node' else scope end as scope,
    case when exact then measure
        when not is_rule(metric) then null
        when heard = 'nothing' and measure in ('total', 'available', 'free') then measure
        when heard = 'nothing' then null
        when is_share(heard) then heard
        else coalesce(measure, heard) end as measure,
    coalesce(counts and (exact or (contains(metric, known) and known like '%\_total' escape '\' and not contains(metric, 'rate'))),
        false) as counts,
    case when exact then rank else coalesce(rank + 10, 30) end as rank
from named;

-- Shares are percent or parts of one: the words say it, or else their values.
create temp table shares as
select
    metric, query,
    case when regexp_matches(any_value(words), 'percent|\bpct\b|^100 ') then 1.0
        when regexp_matches(any_value(words), '\bratio\b') or max(value) <= 1.5 then 0.01 else 1.0 end as unit
from (select metric, query, words from meant where is_share(measure)) join series using (metric, query)
join points using (file, labels) group by all;

-- A rate of a machine's CPU time that lost its name is known by its label mode.
create temp table understood as
with told_apart as (
    select s.*, m.words, m.known, m.counts, m.rank,
        is_rule(metric) and not is_share(m.measure) and contains(m.words, 'cpu')
            and coalesce(mode in ('user', 'system', 'nice', 'idle', 'iowait', 'irq', 'softirq', 'steal', 'guest', 'guest_nice'),
                false) as by_mode,
        case when by_mode then 'node' when m.scope is not null then m.scope when pod is not null then 'pod' else 'process' end as scope,
        case when by_mode then 'cpu_cores'
            when m.measure = 'requests' then case coalesce(resource, regexp_extract(m.words, 'cpu|memory'))
                when 'cpu' then 'allocated_cpu_cores' when 'memory' then 'allocated_memory_gib' end
            else m.measure end as measure
    from series s join meant m using (metric, query)
),
named as (
    select * exclude (by_mode, unit), coalesce(unit, unit_of(measure)) as unit,
        case when measure in ('free', 'disk_iops') then coalesce(known, regexp_extract(words, 'read|writ'), '') else '' end as part,
        case when scope = 'node' then coalesce(instance, job, 'node')
            when pod is not null then coalesce(namespace || '/', '') || pod
            else coalesce(instance || '/' || docker, docker, job || '/' || instance, instance, job, namespace, nullif(cgroup, ''), nullif(container, ''),
                labels->>'name', query) end as name
    from told_apart left join shares using (metric, query)
),
-- What lost its cluster is of the only one that has the name. What an application tells may have a label of its own there.
clustered as (
    select *, min(cluster) filter (scope <> 'process') over w as one, max(cluster) filter (scope <> 'process') over w as another
    from named window w as (partition by name)
),
homed as (
    select * exclude (cluster, one, another), one < another as is_shared,
        case when bool_or(one < another) over () then coalesce(cluster, case when one = another then one end) end as cluster
    from clustered
)
select * exclude (name), name as plain, coalesce(cluster || '/', '') || name as workload from homed;

create temp table hosts as
select distinct coalesce(cluster, '') as cluster, unnest([labels->>'node', labels->>'kubernetes_node', labels->>'nodename',
    case when metric like 'container\_%' escape '\' then regexp_replace(labels->>'instance', ':[0-9]+$', '') end]) as host
from understood where scope = 'pod' and pod is not null and measure in ('cpu_cores', 'memory_gib')
    and (select count(distinct measure) = 2 from understood
        where scope = 'pod' and pod is not null and measure in ('cpu_cores', 'memory_gib'));

create temp table hosting as
select distinct workload
from understood join hosts on hosts.cluster = coalesce(understood.cluster, '')
    and host in (labels->>'node', labels->>'nodename', labels->>'kubernetes_node', regexp_replace(instance, ':[0-9]+$', ''))
where scope = 'node';

-- A pod's containers add up; cAdvisor also has the pod as a whole (no container, or its pause container POD), which
-- serves where it is all there is. Loopback and virtual devices of machines, and what a node says of its cgroups, are
-- part of other series. Different metrics never add up, but for parts of one measure: of several the first counts.
create temp table ranked as
with owned as (
    select *,
        scope = 'node' and measure = 'cpu_cores' and coalesce(mode in ('idle', 'iowait'), false) as rests,
        bool_or(coalesce(container, '') not in ('', 'POD')) over (partition by workload, measure, metric) as has_containers
    from understood
    where measure is not null
        and not (scope = 'node' and coalesce(mode, '') in ('guest', 'guest_nice'))
        and not (scope = 'node' and regexp_matches(device, '^(lo|veth.*|docker.*|br-.*|cni.*|flannel.*|cali.*|dm-.*|loop.*)$'))
        and not is_of_machine
        and not (scope = 'node' and workload in (from hosting))
),
moded as (
    select *, bool_and(rests and cpu is not null) over w and bool_or(mode = 'idle') over w as only_rests
    from owned window w as (partition by workload, measure, metric)
)
select *, first_value(metric) over (partition by workload, measure, part order by rank, metric) as best
from moded
where (not has_containers or coalesce(container, '') not in ('', 'POD')) and (only_rests or not rests);

-- A line is a series; twins are the lines of one series that replicas tell.
create temp table chosen as
with identified as (
    select *, case when pod is not null and (metric like 'container\_%' escape '\' or metric like 'kube\_pod\_%' escape '\')
            and (coalesce(container, '') <> '' or metric like 'container\_network\_%' escape '\')
        then to_json([workload, metric, container, cpu, device, resource]) else told end as identity
    from ranked where metric = best
)
select *, dense_rank() over (order by measure, part, labels) as line, dense_rank() over (order by measure, part, identity) as twin
from identified;

-- Counters become rates between neighbours: where one falls it began again at zero. What several answers tell of a
-- series at one moment counts once.
create temp table lines_told as
select line, any_value(workload) as workload, any_value(measure) as measure, bool_or(counts) as counts, max(unit) as unit,
    any_value(twin) as twin, any_value(told) as told, any_value(mode) filter (only_rests) as rest
from chosen group by line;

create temp table replicated as
select twin, count(distinct told) as starts, count(*) as lines from lines_told group by twin having count(*) > 1;

create temp table steps as
with told as (
    select line, second, max(value) as value from points join (select file, labels, line from chosen) using (file, labels)
    group by all
)
select line, second, value, cast(null as double) as seconds, cast(null as double) as more
from told where line in (select line from lines_told where not counts)
union all
select line, second, value, second - lag(second) over w as seconds, value - lag(value) over w as more
from told where line in (select line from lines_told where counts)
window w as (partition by line order by second);

create temp table rates as
with each as (
    select workload, measure, second, twin, rest,
        case when not counts then value / unit
            else case when more < 0 then value else more end / nullif(seconds, 0) / unit end as amount
    from steps join lines_told using (line) where not counts or seconds > 0
),
used as (
    select * exclude (rest, amount), case rest when 'idle' then 1 - amount when 'iowait' then -amount else amount end as amount
    from each
)
select workload, measure, second, amount from used where twin not in (select twin from replicated)
union all
select any_value(workload), any_value(measure), second, max(amount) from used where twin in (select twin from replicated) group by twin, second;

create temp table measures as
with summed as (
    select workload, measure, make_timestamp(cast(round(second * 1e6) as bigint)) as sampled_at,
        greatest(exact_sum(amount), 0) / case when is_share(measure) then count(*) else 1 end as amount
    from rates where amount is not null group by workload, measure, sampled_at
)
select workload, sampled_at,
    max(amount) filter (measure = 'cpu_cores') as cpu_cores,
    max(amount) filter (measure = 'memory_gib') as memory_gib,
    max(amount) filter (measure = 'cpu_percent') as cpu_percent,
    max(amount) filter (measure = 'memory_percent') as memory_percent,
    max(amount) filter (measure = 'total') as total,
    max(amount) filter (measure = 'available') as available,
    max(amount) filter (measure = 'free') as free,
    max(amount) filter (measure = 'network_in_mib_per_s') as network_in_mib_per_s,
    max(amount) filter (measure = 'network_out_mib_per_s') as network_out_mib_per_s,
    max(amount) filter (measure = 'disk_read_mib_per_s') as disk_read_mib_per_s,
    max(amount) filter (measure = 'disk_write_mib_per_s') as disk_write_mib_per_s,
    max(amount) filter (measure = 'disk_iops') as disk_iops,
    max(amount) filter (measure = 'requests_per_s') as requests_per_s,
    max(amount) filter (measure = 'allocated_cpu_cores') as allocated_cpu_cores,
    max(amount) filter (measure = 'allocated_memory_gib') as allocated_memory_gib
from summed group by workload, sampled_at;

insert into usage by name
select
    $trace_id as trace_id, workload, sampled_at, cpu_cores,
    coalesce(memory_gib, case when total >= coalesce(available, free) then total - coalesce(available, free) end)
        as memory_gib,
    cpu_percent, memory_percent, network_in_mib_per_s, network_out_mib_per_s, disk_read_mib_per_s, disk_write_mib_per_s, disk_iops, requests_per_s,
    allocated_cpu_cores, coalesce(allocated_memory_gib, total) as allocated_memory_gib
from measures;

-- Requests are steady while samples may miss some: the largest sum is what is allocated. A machine's cores are counted.
insert into workloads by name
with sized as (
    select workload, max(allocated_cpu_cores) as cores, max(allocated_memory_gib) as gib
    from usage where trace_id = $trace_id group by workload
),
named as (
    select
        workload, any_value(namespace) filter (scope <> 'node') as owner,
        case when bool_or(scope = 'node') then 'vm' else 'container' end as kind,
        coalesce(any_value(case when pod is not null and scope <> 'node' then coalesce(cluster || '/', '') || coalesce(namespace || '/', '')
            || regexp_replace(pod, '(-[a-f0-9]{8,10})?-[a-z0-9]{5}$|-[0-9]+$', '') end),
            any_value(coalesce(service, docker)), any_value(job)) as application,
        count(distinct cpu) filter (scope = 'node' and measure = 'cpu_cores') as cores
    from understood
    where (measure is not null or not exists (from understood where measure is not null)) and workload not in (from hosting)
    group by workload
)
select
    $trace_id as trace_id, workload, n.kind, n.owner, n.application,
    coalesce(s.cores, nullif(n.cores, 0)) as cpu_cores, s.gib as memory_gib
from named n left join sized s using (workload)
where s.workload is not null or not exists (from usage where trace_id = $trace_id);

insert into notes
select format('{}: the server warns: {}', file, warning)
from (select file, left(string_agg(distinct warning, '; ' order by warning), 300) as warning from warnings group by file)
order by file limit 10;

insert into notes
select format('{} metrics tell nothing that is planned by and are passed over: {}', count(*),
    string_agg(metric, ', ' order by metric))
from (select distinct case when metric = '' then 'results without a name in ' || query else metric end as metric
    from understood where measure is null)
having count(*) > 0;

insert into notes
select format('{} series are of a machine''s own cgroups (such as {}), of no pod and no container with a name, and are passed over',
    count(*), min(cgroup))
from understood where is_of_machine and measure is not null having count(*) > 0;

insert into notes
select 'no metric that is known tells what is used: the series are listed as workloads without samples'
from points where not exists (from understood where measure is not null) having count(*) > 0;

insert into notes
select format('{} series have no name that is known; what they are is read from rules and files: {}', count(*),
    string_agg(distinct is_read, ', ' order by is_read))
from (
    select coalesce(nullif(metric, ''), query) || ' is ' || measure
        || case when is_share(measure) and unit < 1 then ' (of one)' else '' end as is_read
    from understood where is_rule(metric) and measure is not null
) having count(*) > 0;

insert into notes
select format('{} metrics tell again what another tells and are passed over: {}', count(*), string_agg(told, ', ' order by told))
from (
    select distinct
        format('{} beside {}', coalesce(nullif(metric, ''), query), coalesce(nullif(best, ''), 'results without a name')) as told
    from ranked where metric <> best
) having count(*) > 0;

insert into notes
select format('{} machines tell only idle time: what it leaves of their CPUs is taken as used', count(distinct workload))
from chosen where only_rests having count(*) > 0;

insert into notes
select format('{} machines tell only idle time, and not of which CPU: their use of CPU is unknown', count(*))
from (select workload from understood where scope = 'node' and measure = 'cpu_cores' and mode in ('idle', 'iowait')
    except select workload from chosen where measure = 'cpu_cores')
having count(*) > 0;

insert into notes
select format('{} series come from several replicas of a Prometheus and count once', count(*))
from replicated where lines > starts having count(*) > 0;

insert into notes
select format('{} series of containers are told by several scrapes, or of several starts of the container: where they overlap the largest counts',
    count(*))
from replicated where starts > 1 having count(*) > 0;

insert into notes
select format('{} machines are what the pods run on, no demand of their own', count(distinct workload))
from understood where scope = 'node' and workload in (from hosting) having count(*) > 0;

insert into notes
select format('{} machines and {} pods or containers of Docker are both told, and nothing tells that these run on those: where they do, what they use is planned twice',
    count(distinct workload) filter (measure in ('cpu_cores', 'total') and scope = 'node' and workload not in (from hosting)),
    count(distinct workload) filter (measure in ('cpu_cores', 'memory_gib') and scope = 'pod' and coalesce(pod, docker) is not null))
from understood
having count(*) filter (measure in ('cpu_cores', 'total') and scope = 'node' and workload not in (from hosting)) > 0
    and count(*) filter (measure in ('cpu_cores', 'memory_gib') and scope = 'pod' and coalesce(pod, docker) is not null) > 0
    and not exists (from hosting);

insert into notes
select format('{} counters have one sample each, and so no rate: ask for a stretch of time (query_range), or for rate(..)', count(*))
from (select line from steps where line in (select line from lines_told where counts) group by line having count(*) = 1)
having count(*) > 0 and not exists (from steps where seconds > 0);

insert into notes
select format('{} names are of several clusters, such as {}: each cluster''s is a workload of its own, cluster/name',
    count(distinct plain), min(plain))
from understood where is_shared and measure is not null having count(*) > 0;

insert into notes
select format('{} workloads tell shares of CPU or memory and no size to go with them: the size is the scenario''s assumption',
    count(distinct u.workload))
from understood u join workloads w on w.trace_id = $trace_id and u.workload = w.workload
where (measure = 'cpu_percent' and cpu_cores is null) or (measure = 'memory_percent' and memory_gib is null) having count(*) > 0;

insert into notes
select format('{} counters began again at zero in the recording: what they counted since is taken', count(distinct line))
from steps where more < 0 having count(*) > 0;
